"""Read the checks that an instructor adds to exercises and that students do not see."""

from pathlib import Path

from jobs_kit.course.check_files import checks_in, claim_of, points_of
from jobs_kit.course.exercise import find_exercise, load
from jobs_kit.course.places import EXERCISES
from jobs_kit.grading.results import unjudged_check


class HiddenChecks:
    """The hidden checks of some exercises. files: the Paths of their test files.

    folder: where these are, or None for no hidden checks. Raises FileNotFoundError, ValueError.
    """

    def __init__(self, folder, exercises):
        files = sorted(Path(folder).resolve().glob("test_*.py")) if folder else []
        if folder and not files:
            raise FileNotFoundError(f"there are no checks (test_*.py) in {folder}")
        homes = {file: _exercise_of(file) for file in files}
        self.files = [file for file in files if homes[file] in exercises]
        self._homes = homes
        self._checks = {exercise.id: {} for exercise in exercises}
        for file in self.files:
            self._checks[homes[file].id] |= checks_in(file)

    def files_of(self, exercises):
        """Return the files with hidden checks of these Exercises."""
        return [file for file in self.files if self._homes[file] in exercises]

    def add_missing(self, result, outcome):
        """Add the hidden checks that did not run to an ExerciseResult: all can reach as many points.

        outcome: why they did not run, see unjudged_check().
        """
        names = {check.name.partition("[")[0] for check in result.checks}
        for name, check in self._checks[result.id].items():
            if name not in names:
                missing = unjudged_check(name, claim_of(check, name), points_of(check), outcome)
                result.checks.append(missing)


def _exercise_of(file):
    """Return the Exercise that a file of hidden checks adds to.

    Raises ValueError where the file would end the judging of every submission.
    """
    if "[" in file.name or "::" in file.name:
        raise ValueError(f"{file}: pytest cannot run a file of this name; give it another name")
    if list(EXERCISES.glob(f"*/{file.name}")):
        raise ValueError(f"{file}: the kit has a file of this name; give yours another name")
    try:
        exercise = find_exercise(load(file).EXERCISE)
        if not exercise.is_graded:
            raise ValueError(f"{exercise.id} leaves no files that could be judged")
        return exercise
    except (Exception, SystemExit) as problem:  # whatever its first lines do
        raise ValueError(
            f"{file} cannot be used: {type(problem).__name__}: {problem}. Fix it and grade "
            "again; nothing was graded"
        ) from None
