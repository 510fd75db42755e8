"""What is an exercise, which are there, and in what order?

An exercise declares itself in its test file, exercises/<folder>/test_<id>.py, as EXERCISE: number,
lesson, title, hints. Its id and its folder are those of the file.
"""

import functools
import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXERCISES = ROOT / "exercises"


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    file: the path of the test file that declares it. number (int): its place in the course.
    lesson: "07". title: what to do, in a few words. files: what is handed in.
    hints: three rungs: where to look, what shape, almost the line.
    changes: {file: names of the definitions that the exercise changes}; an answer counts as
    attempted when one of them differs from what was handed out.
    is_attempted(answer): decides instead, where that is not enough.
    """

    file: str
    number: int
    lesson: str
    title: str
    files: tuple
    hints: tuple
    changes: dict = field(default_factory=dict)
    is_attempted: object = None

    @property
    def id(self):
        return Path(self.file).stem.removeprefix("test_")

    @property
    def folder(self):
        return Path(self.file).parent.name


@functools.cache
def all_exercises():
    """Return {id: Exercise} of all that there are, in the order of the course."""
    found = [load(path).EXERCISE for path in EXERCISES.glob("*/test_*.py")]
    return {one.id: one for one in sorted(found, key=lambda one: one.number)}


def find_exercise(name):
    """Return the Exercise of this id. Raises KeyError with a message that lists them."""
    exercises = all_exercises()
    if name not in exercises:
        raise KeyError(f"there is no exercise {name!r}; there are: {', '.join(exercises)}")
    return exercises[name]


def earlier(exercise):
    """Return the ids of the exercises of the same folder that come before this one."""
    return [
        one.id
        for one in all_exercises().values()
        if one.folder == exercise.folder and one.number < exercise.number
    ]


def answer_folder(exercise, place=None):
    """Return the folder that holds a student's answer.

    place: where the answers are: the folder itself, or one that holds it; by default the current
    directory if it is such a folder, and else the kit's own exercises/.
    """
    here = Path(place or ".").resolve()
    if (here / exercise.folder).is_dir():
        return here / exercise.folder
    if here.name == exercise.folder or any((here / name).exists() for name in exercise.files):
        return here
    return here / exercise.folder if place else EXERCISES / exercise.folder


def load(path):
    """Return the module of a test file."""
    name = f"jobs_kit_check_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
