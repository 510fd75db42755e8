"""Define exercises, and list those of the course in their order.

An exercise declares itself in its test file, exercises/<folder>/test_<id>.py, as EXERCISE. Its id and
its folder are those of the file. The kit knows what is declared there and no exercise by name.
"""

import difflib
import functools
import importlib.util
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from jobs_kit.course.places import EXERCISES, REPAIR


@dataclass(frozen=True)
class Shuffled:
    """A file that holds the solved definitions of a folder in no order, for students to sort.

    file: its name. docstring: its first line. names: the definitions that students find there; the
    masters may make one private, and then the file shows it without its underscore.
    """

    file: str
    docstring: str
    names: tuple


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    file: the path of the test file that declares it.
    number (int): its place in the course; only the order counts, and gaps leave room for more.
    lesson: the name of its lesson without the number, "build_the_jobs_service": lessons may move.
    title: the task in a few words.
    files: the files to submit; () for an exercise in live shells, which leaves only evidence.
    hints: three rungs: where to look, which shape, almost the line.
    changes: {file: names of the definitions that the exercise changes}; a submission counts as
    attempted when one of them differs from the starter.
    is_attempted(source): decides instead, where that is not enough.
    given: files and folders of jobs_kit/ that are copied beside the submission as they are.
    shuffled: a Shuffled file that is made for this exercise, or None.
    records: files whose text is recorded when the exercise first passes (see grading/progress.py).
    tally: (text, beginning), if the verdict counts the checks that pass among those whose claim begins
    like this: ("bugs fixed", "Letter") adds "bugs fixed: 9 of 13".
    side_by_side (bool): whether several of its checks run at once, because they mostly wait.

    All exercises of a folder find there what one of them declares as given or shuffled.
    """

    file: str
    number: int
    lesson: str
    title: str
    files: tuple
    hints: tuple
    changes: dict = field(default_factory=dict)
    is_attempted: object = None
    given: tuple = ()
    shuffled: Shuffled | None = None
    records: tuple = ()
    tally: tuple = ()
    side_by_side: bool = False

    @functools.cached_property
    def id(self):
        """The name of the exercise, unique in the course."""
        return Path(self.file).stem.removeprefix("test_")

    @property
    def tests(self):
        """What pytest runs to check it."""
        return [self.file]

    @functools.cached_property
    def folder(self):
        """The name of the folder in exercises/ and in solutions/."""
        return Path(self.file).parent.name

    @property
    def is_graded(self):
        """Whether a class gets points for it: only files can be judged later."""
        return bool(self.files)


@functools.cache
def all_exercises():
    """Return {id: Exercise} of all exercises, in the order of the course.

    Raises FileNotFoundError, with what to do, where the kit's own files are missing.
    """
    exercises = [load(path).EXERCISE for path in EXERCISES.glob("*/test_*.py")]
    if not exercises:
        raise FileNotFoundError(
            f"the exercises are missing: there are none in {EXERCISES}. Get the whole kit again, from "
            f"its repository or as a wheel, and {REPAIR}"
        )
    return {one.id: one for one in sorted(exercises, key=lambda one: one.number)}


def find_exercise(name, others=()):
    """Return the Exercise of this id. Raises KeyError with a message that names similar ids, or all.

    others: more ids that may have been meant.
    """
    exercises = all_exercises()
    if name in exercises:
        return exercises[name]
    word = PurePath(name).stem.lower()  # the name of its page, for example
    similar = difflib.get_close_matches(word, exercises, n=2)
    similar = similar or difflib.get_close_matches(word, others, n=2)
    offer = f": did you mean {' or '.join(similar)}?" if similar else ""
    raise KeyError(
        f"there is no exercise {name!r}{offer or '; there are: ' + ', '.join(exercises)}"
    )


def exercises_in(folder):
    """Return the Exercises of a folder (its name), in the order of the course."""
    return [exercise for exercise in all_exercises().values() if exercise.folder == folder]


def earlier(exercise):
    """Return the ids of the exercises of the same folder that come before this one."""
    return [one.id for one in exercises_in(exercise.folder) if one.number < exercise.number]


def shell_exercise():
    """Return the first Exercise in live shells, the one whose queues are watched."""
    return next(exercise for exercise in all_exercises().values() if not exercise.files)


def given_in(folder):
    """Return the names in jobs_kit/ that the exercises of a folder declare as given."""
    return [name for exercise in exercises_in(folder) for name in exercise.given]


def shuffled_in(folder):
    """Return {file name: the Exercise that declares it} of the shuffled files of a folder."""
    return {one.shuffled.file: one for one in exercises_in(folder) if one.shuffled}


def folder_of_file(name):
    """Return the exercise folder for a file that was submitted without one.

    That is the first in the course with a file of this name. A name that no exercise has belongs
    to the project, the folder that most exercises share: students may add modules to it.
    """
    exercises = all_exercises().values()
    homes = [exercise.folder for exercise in exercises if name in exercise.files]
    project = Counter(exercise.folder for exercise in exercises).most_common(1)[0][0]
    return (homes or [project])[0]


def load(path):
    """Return the module of a test file."""
    name = f"jobs_kit_check_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
