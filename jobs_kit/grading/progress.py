"""Keep a student's progress, in the folder of the answer, so that it moves with the answer.

    .progress.json   {"add_job": {"attempts": 2, "hints": 1, "passed": true, "checked": digest},
                      "worker.py": [text, ...]}

An attempt is a check that fails on files that have changed since the last one, whose digest is kept.
A file name holds the texts of that file when an exercise that records it first passed: a later
exercise that changes the same definition is not attempted as long as nothing has changed since.
"""

import contextlib
import hashlib
import itertools
import json
import os
import shutil
from pathlib import Path

from jobs_kit.course import starters
from jobs_kit.course.answer_folders import answer_folder, exercises_for, require_folder
from jobs_kit.course.exercise import earlier, find_exercise
from jobs_kit.course.gap import all_gaps
from jobs_kit.course.places import MASTERS, CourseNotFoundError, course_folder
from jobs_kit.grading.results import kit_failure
from jobs_kit.grading.source.files import PROGRESS, Source, regular_files
from jobs_kit.grading.verdict import Verdict

LARGEST_COUNT = 1 << 31  # of attempts or hints
ATTEMPTS = 3  # before a solution opens without a pass


class ExerciseProgress:
    """The progress of a student in one exercise. folder (Path): where the answer is."""

    def __init__(self, exercise, place=None):
        self.exercise, self.folder = exercise, answer_folder(exercise, place)

    def check(self, judge):
        """Return the Verdict of a Judge, and keep it. Never raises."""
        try:
            verdict = judge.check(self.exercise, self.folder)
        except RuntimeError as problem:
            return Verdict(kit_failure(self.exercise.id, str(problem), self.folder))
        notes = self._notes()
        entry = notes.setdefault(self.exercise.id, {})
        digest = self._digest()
        has_changed = digest is None or entry.get("checked") != digest
        if verdict.outcome in ("fail", "timeout") and has_changed:
            entry["attempts"] = entry.get("attempts", 0) + 1
        entry["checked"] = digest
        entry["passed"] = verdict.passed
        # only at the first pass: a later text may hold what belongs to a later exercise
        if verdict.passed and self.exercise.records and not entry.get("recorded"):
            entry["recorded"] = True
            self._record(notes)
        self._write(notes)
        return verdict

    def _digest(self):
        """Return text that changes with the answer's Python files; None for one in live shells."""
        if not self.exercise.files:
            return None
        paths = regular_files(self.folder, onerror=lambda problem: None)
        paths = [path for path in paths if path.suffix == ".py"]
        contents = [(path.name, path.read_bytes()) for path in paths]
        return hashlib.sha256(repr(contents).encode()).hexdigest()

    def _record(self, notes):
        """Add the texts of the files that the exercise records to the notes."""
        for name in self.exercise.records:
            texts = notes.setdefault(name, [])
            text = Source(self.exercise, self.folder).text(name)
            texts += [] if text in texts else [text]

    @property
    def passed(self):
        """Whether the last check was a pass."""
        return bool(self._entry().get("passed"))

    def next_hint(self):
        """Return the next hint as text; the last one again when there are no more."""
        notes = self._notes()
        entry = notes.setdefault(self.exercise.id, {})
        hints = self.exercise.hints
        rung = entry["hints"] = min(entry.get("hints", 0) + 1, len(hints))
        self._write(notes)
        last = ", the last one" if rung == len(hints) else ""
        return f"{self.exercise.id}, hint {rung} of {len(hints)}{last}: {hints[rung - 1]}"

    def solution(self):
        """Return (opens, text): the solution, or the steps that must come before it."""
        attempts = self._entry().get("attempts", 0)
        if not self.passed and attempts < ATTEMPTS:
            name = self.exercise.id
            return False, (
                f"The solution of {name} opens after a pass or {ATTEMPTS} attempts. So far you have "
                f"made {attempts}; checking an unchanged file again doesn't count. For a hint, run "
                f'hint("{name}") on a page or `jobs-kit hint {name}` in a terminal.'
            )
        return True, "\n\n".join([*self._walk_through(), *solution_of(self.exercise)])

    def _walk_through(self):
        """Yield a line that names the walk-through; a course folder that lacks it gets it now."""
        name = f"{MASTERS.name}/{self.exercise.folder}/{self.exercise.id}.ipynb"
        with contextlib.suppress(CourseNotFoundError):
            path = course_folder(self.folder) / name
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(MASTERS.parent / name, path)
            yield f"# {name} explains it step by step."

    def catch_up(self):
        """Write the starting point of this exercise: all earlier parts solved.

        Yields (file, backup or None) of each file as it is written; a student's own is kept beside
        it, as file.bak, or file.bak2 where that is there already. Raises ValueError in the folder of
        the solutions.
        """
        if self.folder.resolve().is_relative_to(MASTERS):
            raise ValueError(f"{self.folder} holds the solutions; name your own folder with --in")
        files = starters.given_files(self.exercise.folder)
        files |= {n: text.encode() for n, text in starting_point(self.exercise).items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and path.read_bytes() == data:
                continue
            backup = _spare(path) if path.exists() else None
            if backup:
                shutil.copy2(path, backup)
            path.write_bytes(data)
            yield path, backup

    def _entry(self):
        return self._notes().get(self.exercise.id, {})

    def _notes(self):
        notes = Source(self.exercise, self.folder).record()
        return {name: value for name, value in notes.items() if _is_sound(name, value)}

    def _write(self, notes):
        path = self.folder / PROGRESS
        # as a whole or not at all; where nothing can be written, no progress is kept
        with contextlib.suppress(OSError):
            part = path.with_suffix(f".{os.getpid()}")
            part.write_text(json.dumps(notes, indent=1), encoding="utf-8")
            part.replace(path)


def _is_sound(name, value):
    """Tell whether this module writes such a value under such a name."""
    if name.endswith(".py"):
        return isinstance(value, list)
    if not isinstance(value, dict):
        return False
    counts = [value.get(count, 0) for count in ("attempts", "hints")]
    return all(isinstance(count, int) and 0 <= count < LARGEST_COUNT for count in counts)


def next_hint(name, place=None):
    """Return the next hint of an exercise, or the one hint of a gap, as text. Raises KeyError.

    name: the id of either. place: where the answer is, see answer_folder().
    """
    if gap := all_gaps().get(name):
        return f"{gap.id}, the only hint: {gap.hint}"
    return progress_of(name, place).next_hint()


def progress_of(name, place=None):
    """Return the ExerciseProgress of the exercise with this id.

    place: see answer_folder(). Raises KeyError, with a message for the student, if there is none or
    it is a gap; ValueError if place is the folder of another exercise.
    """
    if name in all_gaps():
        raise KeyError(
            f'{name} is a gap in a lesson: run check("{name}") on its page, where the answer is '
            "folded below it"
        )
    exercise = find_exercise(name, others=all_gaps())
    if place:
        require_folder(exercise, place)
    return ExerciseProgress(exercise, place)


def starting_point(exercise):
    """Return {file name: text} of the files with which a student starts this exercise."""
    if not exercise.files:
        return {}
    return starters.stage(exercise.folder, set(earlier(exercise)))


def solution_of(exercise):
    """Return the solution of an exercise, a list of texts: the definitions that it adds or changes."""
    parts = []
    if exercise.files:
        solved = starters.stage(exercise.folder, {*earlier(exercise), exercise.id})
        before = starting_point(exercise)
        for name, text in solved.items():
            if pieces := starters.changed_pieces(before.get(name, ""), text):
                parts += [f"# --- {name}", *pieces]
    return parts


def first_unfinished(place=None, after=None):
    """Return the first Exercise that has not passed, looking from one id on; None if all have."""
    exercises = [exercise for exercise in exercises_for(place) if exercise.files]
    if after:
        start = [exercise.id for exercise in exercises].index(after) + 1
        exercises = exercises[start:] + exercises[:start]
    unfinished = (each for each in exercises if not ExerciseProgress(each, place).passed)
    return next(unfinished, None)


def _spare(path):
    names = itertools.chain([f"{path}.bak"], (f"{path}.bak{n}" for n in itertools.count(2)))
    return Path(next(name for name in names if not os.path.lexists(name)))
