"""Write the zip file that Gradescope takes as an autograder.

    setup.sh, run_autograder    what Gradescope runs
    python_version              this Python's, such as 3.13
    requirements.txt            the kit's packages, in the versions that are installed here
    kit/                        the kit, as in a clone, without lessons and tests
    hidden/                     the instructor's own checks, if there are any

So submissions are graded with what the instructor has tried.
"""

import os
import shlex
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from jobs_kit.course.check_files import checks_in, exercise_points, points_of
from jobs_kit.course.exercise import all_exercises, find_exercise
from jobs_kit.course.places import EXERCISES, KIT, MASTERS
from jobs_kit.course.starters import all_starters
from jobs_kit.grading.batch.hidden_checks import HiddenChecks
from jobs_kit.publish.gradescope.pins import pinned_requirements

SCRIPTS = Path(__file__).parent
CHECKS = "*/test_*.py"
RUNNER, SETUP = "run_autograder", "setup.sh"
EXECUTABLE, ORDINARY = 0o100755 << 16, 0o100644 << 16  # as a zip file of Unix notes it
LEFT_OUT = ("__pycache__", "material", ".")  # how names begin that the grader doesn't need


@dataclass
class Autograder:
    """What a zip file holds. exercises: Exercises. hidden: the Path of a folder, or None."""

    exercises: list
    hidden: Path | None

    @property
    def points(self):
        """All points that a submission can get."""
        checks = HiddenChecks(self.hidden, self.exercises).files
        more = [points_of(check) for file in checks for check in checks_in(file).values()]
        return sum(exercise_points(one) for one in self.exercises if one.is_graded) + sum(more)

    def files(self):
        """Yield (name in the zip file, its bytes)."""
        yield SETUP, (SCRIPTS / SETUP).read_bytes()
        yield RUNNER, self._runner().encode()
        yield "python_version", "{}.{}\n".format(*sys.version_info).encode()
        yield "requirements.txt", "\n".join([*pinned_requirements(), ""]).encode()
        for folder in (KIT, MASTERS):
            yield from _files_in(folder, f"kit/{folder.name}")
        # the files in exercises/ may have the instructor's answers
        checks = {path.relative_to(EXERCISES).as_posix(): path for path in EXERCISES.glob(CHECKS)}
        exercises = all_starters() | {name: path.read_bytes() for name, path in checks.items()}
        yield from ((f"kit/exercises/{name}", data) for name, data in exercises.items())
        if self.hidden:
            yield from _files_in(self.hidden, "hidden")

    def _runner(self):
        words = [word for one in self.exercises for word in ("--exercise", shlex.quote(one.id))]
        return (SCRIPTS / RUNNER).read_text().replace("options=()", f"options=({' '.join(words)})")


def make_autograder(exercises=(), hidden=None):
    """Return the Autograder for exercises (ids; none for all) and a folder of hidden checks, or None.

    Raises KeyError, FileNotFoundError, ValueError.
    """
    chosen = [find_exercise(name) for name in dict.fromkeys(exercises)]
    autograder = Autograder(chosen or list(all_exercises().values()), hidden and Path(hidden))
    if not autograder.points:
        raise ValueError("none of these exercises gives points, so there is nothing to grade")
    return autograder


def write_zip(autograder, path):
    """Write an Autograder into a zip file; an earlier autograder there is replaced.

    path: a Path. Raises FileExistsError where it is anything else, OSError.
    """
    if path.exists() and not _is_autograder(path):
        raise FileExistsError(f"{path} is there and is no autograder; name another file")
    part = path.with_name(f"{path.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in autograder.files():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = EXECUTABLE if name in (SETUP, RUNNER) else ORDINARY
            packed.writestr(info, data)
    part.replace(path)


def _is_autograder(path):
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as packed:
        return RUNNER in packed.namelist()


def _files_in(folder, name):
    """Yield (name in the zip file, bytes) of the files in a folder; name: of that folder there."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith(LEFT_OUT))
        for file in sorted(one for one in files if not one.startswith(LEFT_OUT)):
            path = Path(place, file)
            yield f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes()
