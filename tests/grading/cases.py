"""Load the wrong and right answers of tests/cases; its README.md describes their format."""

import functools
import shutil
import tomllib
from pathlib import Path

import pytest

from jobs_kit.course import starters
from jobs_kit.course.exercise import all_exercises, earlier, shuffled_in

CASES = Path(__file__).parents[1] / "cases"


class Case:
    """One wrong or right answer to an exercise.

    table (dict): its table in the exercise's TOML file.
    folder (Path): its own files; most cases have none.
    """

    def __init__(self, exercise, table):
        self.exercise, self.table = exercise, table
        self.name, self.why = table["name"], table["why"]
        self.base = table.get("base", "solved")
        self.rejected_by, self.says = table.get("rejected_by"), table.get("says")
        self.outcome, self.points = table.get("outcome", "fail"), table.get("points")
        self.alone = table.get("alone", True)
        self.edits, self.remove = table.get("edit", []), table.get("remove", [])
        self.plant = table.get("plant", [])
        self.folder = CASES / exercise.id / self.name

    def write(self, place):
        """Write the answer into place/<folder of the exercise>; return that folder."""
        target = place / self.exercise.folder
        if self.plant:
            write_planted(self.exercise, target, self.plant)
        else:
            write_stage(self.exercise, target, self.base)
        for edit in self.edits:
            path = target / edit["file"]
            text = path.read_text(encoding="utf-8")
            assert text.count(edit["old"]) == 1, f"{self}: {edit['old']!r} is not there once"
            path.write_text(text.replace(edit["old"], edit["new"]), encoding="utf-8")
        for name in self.remove:
            (target / name).unlink()
        if self.folder.is_dir():
            shutil.copytree(self.folder, target, dirs_exist_ok=True)
        return target

    def __repr__(self):
        return f"{self.exercise.id}/{self.name}"


def write_stage(exercise, target, base):
    """Write an exercise folder as it is at "blank", "solved" or "final"."""
    solved = set(earlier(exercise))
    if base != "blank":
        solved.add(exercise.id)
    if base == "final":
        solved |= set(all_exercises())
    target.mkdir(parents=True)
    for name, text in starters.stage(exercise.folder, solved).items():
        (target / name).write_text(text, encoding="utf-8")
    for name, one in shuffled_in(exercise.folder).items():
        (target / name).write_text(starters.shuffled_definitions(one), encoding="utf-8")


def write_planted(exercise, target, regions):
    """Write an exercise folder where all is solved but these regions of the masters."""
    target.mkdir(parents=True)
    solved = starters.press_folder(exercise.folder, lambda name: True)
    texts = starters.press_folder(exercise.folder, lambda name: name not in regions)
    assert texts != solved, f"no master in {exercise.folder} has a region named {regions}"
    for name, text in texts.items():
        (target / name).write_text(text, encoding="utf-8")


@functools.cache
def tables(name):
    """Return the tables of tests/cases/<name>.toml, as {kind: list of dicts}."""
    return tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))


def all_cases(kind):
    """Return every Case of a kind, "wrong" or "right"."""
    return [
        Case(exercise, table)
        for name, exercise in sorted(all_exercises().items())
        for table in tables(name)[kind]
    ]


def file_cases(kind):
    """Return every Case of a kind that is answered with files, not in a session."""
    return [case for case in all_cases(kind) if case.exercise.files]


def sessions(kind):
    """Return every Case of a kind that is answered in a session."""
    return [case for case in all_cases(kind) if not case.exercise.files]


def for_each(argument, answers):
    """Parametrize a test with answers; all but the first of each exercise are marked as slow.

    The last exercises take longest and come first: no judge is left alone with them.
    """
    parameters, sampled = [], set()
    for answer in sorted(answers, key=lambda answer: -answer.exercise.number):
        marks = [pytest.mark.slow] if answer.exercise.id in sampled else []
        sampled.add(answer.exercise.id)
        parameters.append(pytest.param(answer, marks=marks))
    return pytest.mark.parametrize(argument, parameters, ids=repr)


def hostile_entries():
    """Return the hostile submissions, as {name: table}."""
    return {table["name"]: table for table in tables("hostile")["entry"]}
