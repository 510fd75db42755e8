"""What is said of an exercise that came to no verdict, and what would it have been worth?"""

from jobs_kit.course.exercise import load
from jobs_kit.grading.limits import SUBMISSION_TIMEOUT_SECONDS

UNFINISHED = {  # outcome: what is said of an exercise without a verdict, and a hint
    "timeout": (
        f"the time for one submission ({SUBMISSION_TIMEOUT_SECONDS} s) was used up before this exercise",
        "Which exercise above ran out of time, and why?",
    ),
    "error": (
        "the judge has ended before it had a verdict; nothing is known of the answer",
        "Nothing is to mend here: your instructor grades it again.",
    ),
}


def unfinished(exercise, outcome):
    """Return the result of an exercise for which there was no time, or whose judge broke."""
    most = points_of(exercise)
    return {
        "id": exercise.id,
        "title": exercise.title,
        "outcome": outcome,
        "points": 0,
        "max_points": most,
        "checks": [unjudged("all", "This exercise was judged to its end", most, outcome)],
    }


def unjudged(name, claim, most, outcome):
    """Return the result of a check that was not run; most: its points. outcome: why, see above."""
    message, hint = UNFINISHED[outcome]
    return {
        "name": name,
        "claim": claim,
        "outcome": outcome,
        "points": 0,
        "max_points": most,
        "message": message,
        "hint": hint,
        "evidence": [],
        "notes": [],
        "seconds": 0,
    } | dict.fromkeys(("call", "got", "expected"))


def failed_of(result):
    """Return the ids of the exercises of which nothing is known, for the kit itself has failed."""
    return [
        one["id"]
        for one in result["exercises"]
        if any(check["outcome"] == "error" for check in one["checks"])
    ]


def points_of(exercise):
    """Return what all checks of an exercise are worth together."""
    return sum(map(points_for, tests_in(exercise.file).values()))


def tests_in(file):
    """Return {name: function} of the checks in a file."""
    return {name: one for name, one in vars(load(file)).items() if name.startswith("test_")}


def points_for(test):
    """Return what one check is worth."""
    marks = getattr(test, "pytestmark", ())
    return next((mark.args[0] for mark in marks if mark.name == "points"), 1)
