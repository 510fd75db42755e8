"""Answers that a check must reject (tests/wrong) or accept (tests/right): how they are written.

A case is a folder tests/wrong/<exercise>/<name>/ with a case.toml:

    why = "what is wrong, and how somebody comes to write it"
    rejected_by = "test_the_name_of_the_one_check"      # wrong answers only
    outcome = "fail"                                     # or "timeout"; "fail" if left out
    says = "words that the check must say"               # wrong answers only
    base = "solved"     # what is edited: this exercise solved and no later one; or "final": all
                        # exercises of the folder; or "blank": nothing of this exercise yet
    plant = ["defect_05"]   # instead of a base: all is solved but these regions of the master
    [[edit]]
    file = "jobs.py"
    old = "text that stands there exactly once"
    new = "text instead"

Files beside case.toml are laid over the base as they are; `remove = ["name.py"]` takes files away.
Cases of an exercise without files are sessions in shells: see sessions.py.
"""

import shutil
import tomllib
from pathlib import Path

from jobs_kit.course import starters
from jobs_kit.course.exercise import all_exercises, earlier

HERE = Path(__file__).parents[1]


class Case:
    """One case: its exercise, name and why; for wrong answers rejected_by, outcome, says too."""

    def __init__(self, folder):
        self.folder, self.name = folder, folder.name
        self.exercise = all_exercises()[folder.parent.name]
        told = self.events = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
        self.why, self.base = told["why"], told.get("base", "solved")
        self.rejected_by, self.says = told.get("rejected_by"), told.get("says")
        self.outcome = told.get("outcome", "fail")
        self.edits, self.remove = told.get("edit", []), told.get("remove", [])
        self.plant = told.get("plant", [])

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
            assert text.count(edit["old"]) == 1, f"{self.folder}: {edit['old']!r} is not there once"
            path.write_text(text.replace(edit["old"], edit["new"]), encoding="utf-8")
        for name in self.remove:
            (target / name).unlink()
        shutil.copytree(
            self.folder, target, ignore=shutil.ignore_patterns("case.toml"), dirs_exist_ok=True
        )
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
    if exercise.folder == "jobs_service":
        (target / "definitions.py").write_text(starters.definitions(), encoding="utf-8")


def write_planted(exercise, target, regions):
    """Write an exercise folder where all is solved but these regions of the masters."""
    target.mkdir(parents=True)
    solved = starters.press_folder(exercise.folder, lambda name: True)
    texts = starters.press_folder(exercise.folder, lambda name: name not in regions)
    assert texts != solved, f"no master in {exercise.folder} has a region named {regions}"
    for name, text in texts.items():
        (target / name).write_text(text, encoding="utf-8")


def all_cases(kind):
    """Return every Case of a kind, "wrong" or "right"."""
    return [Case(path.parent) for path in sorted((HERE / kind).glob("*/*/case.toml"))]


def file_cases(kind):
    """Return every Case of a kind that is answered with files, not in a session."""
    return [case for case in all_cases(kind) if case.exercise.files]


def sessions(kind):
    """Return every Case of a kind that is answered in a session."""
    return [case for case in all_cases(kind) if not case.exercise.files]
