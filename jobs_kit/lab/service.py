"""The Jobs service that a lesson runs: the student's once it passes its checks, else the kit's.

    service = prepare_service("redis_from_environment")    # as it is after this exercise
    service                                            # a cell shows whose files these are
    start_program("worker.py", folder=service.folder)

The files are copies beside the lesson, so a lesson can put its own programs next to them.
"""

from pathlib import Path

from jobs_kit.course import starters
from jobs_kit.course.exercise import all_exercises, earlier, find_exercise, shuffled_in
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.progress import ExerciseProgress
from jobs_kit.grading.source.files import Source
from jobs_kit.grading.source.project import Project
from jobs_kit.grading.source.uses import find_uses
from jobs_kit.lab.other_workers import warn_of_other_workers

SECONDS = 120  # for all the checks together


class Service:
    """The files of a service, ready to be started. folder (Path); is_yours (bool)."""

    def __init__(self, folder, is_yours, origin, warning=""):
        self.folder, self.is_yours, self._origin = folder, is_yours, origin
        self._warning = warning

    def __repr__(self):
        text = f"{self._origin}\nThe files that run are in {self.folder}."
        return f"{text}\n{self._warning}" if self._warning else text


def prepare_service(upto, yours=True, api_uses=None):
    """Copy a service at the stage after the exercise `upto`; return it as a Service.

    It is the student's own if that passed all exercises up to this one, passes them now, and has
    not passed the next one, because a page is about one stage. yours=False: always the kit's.
    api_uses: names of jobs.py, where a page replaces this file: the student's own service only if
    its api.py uses no other name of it.
    Raises KeyError for an unknown exercise.
    """
    exercise = find_exercise(upto)
    needed = [find_exercise(name) for name in (*earlier(exercise), upto)]
    obstacle = _obstacle(exercise, needed) if yours else f"It is as it was after {upto}."
    if api_uses and not obstacle:
        obstacle = _other_names(exercise, api_uses)
    folder = Path("scratch") / exercise.folder / upto
    if obstacle:
        texts = starters.stage(exercise.folder, {each.id for each in needed})
        files = starters.kit_files(exercise.folder)
        files |= {name: text.encode() for name, text in texts.items()}
        origin = f"This page runs the kit's service. {obstacle}"
    else:
        own_folder = ExerciseProgress(exercise).folder
        files = Source(exercise, own_folder).files()
        origin = (
            f"This page runs a copy of your service in {_shorten(own_folder)}; run the cell again "
        )
        origin += "when you have changed something."
    for name in shuffled_in(exercise.folder):  # an exercise sorts it; it is not part of the service
        files.pop(name, None)
    _write(folder, files)
    return Service(folder, not obstacle, origin, warn_of_other_workers())


def _obstacle(exercise, needed):
    """Return why the student's own service can't be used (str), or "" if it can."""
    missing = [each.id for each in needed if not ExerciseProgress(each).passed]
    if missing:
        return f"Yours takes its place when it has passed: {', '.join(missing)}."
    after = _next(exercise)
    if after and ExerciseProgress(after).passed:
        return f"Yours has passed {after.id} and is further than this page."
    try:
        with Judge() as judge:
            tests = [one.file for one in needed]
            results = judge.check_all(tests, ExerciseProgress(exercise).folder, SECONDS)
    except RuntimeError as problem:
        return f"Yours could not be checked: {problem}."
    good = {result.id for result in results if result.outcome == "pass"}
    broken = [one.id for one in needed if one.id not in good]
    return f"Yours had passed and does not now: check {', '.join(broken)}." if broken else ""


def _other_names(exercise, api_uses):
    """Return which further names of jobs.py the student's api.py uses, as a sentence, or ""."""
    project = Project(Source(exercise, ExerciseProgress(exercise).folder))
    used = {use.name for use in find_uses(project, "api")[0] if use.module == "jobs"}
    others = ", ".join(sorted(used.difference(api_uses)))
    return f"Your api.py uses {others} of jobs.py, which this page replaces." if others else ""


def _next(exercise):
    later = [one for one in all_exercises().values() if one.number > exercise.number]
    return next((one for one in later if one.folder == exercise.folder), None)


def _write(folder, files):
    for old in folder.glob("*.py"):  # the folder itself stays: programs may still run in it
        old.unlink()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _shorten(folder):
    """Return a folder as text, relative to the current one if it is in it or in its parent."""
    here = Path.cwd()
    for steps, parent in [("", here), ("../", here.parent)]:
        if folder.is_relative_to(parent):
            return f"{steps}{folder.relative_to(parent)}"
    return str(folder)
