"""Read what the checks of a test file declare: their names, claims and points."""

import pytest

from jobs_kit.course.exercise import load


def points(number, after=(), unless_late=None):
    """Decorate a check with its worth, and with the checks that must pass before it is run.

    number: points. after: the name of one test function, or a tuple of names. unless_late: the name
    of one that starts the same program, so that this check would run out of time where that did.
    """
    after = (after,) if isinstance(after, str) else tuple(after)
    return pytest.mark.points(number, after=after, unless_late=unless_late)


def checks_in(file):
    """Return {name: function} of the checks in a test file."""
    names = vars(load(file)).items()
    return {name: function for name, function in names if name.startswith("test_")}


def claim_of(check, name):
    """Return the claim of a check, a function: the first line of its docstring, or its name."""
    return (check.__doc__ or name).strip().splitlines()[0].rstrip(".")


def points_of(check):
    """Return the points of one check, a function."""
    marks = getattr(check, "pytestmark", ())
    return next((mark.args[0] for mark in marks if mark.name == "points"), 1)


def exercise_points(exercise):
    """Return the points of all checks of an Exercise together."""
    return sum(map(points_of, checks_in(exercise.file).values()))
