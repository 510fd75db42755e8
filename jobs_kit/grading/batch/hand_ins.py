"""Find the students in a folder of submissions, and read what each handed in.

    SUBMISSIONS/ana/jobs_service/api.py …      folders as in exercises/
    SUBMISSIONS/ben/api.py …                   all files flat
    SUBMISSIONS/cem/final version/echo.py      one folder more than asked for
    SUBMISSIONS/dia/work.zip, SUBMISSIONS/eli.zip
    SUBMISSIONS/fay/echo_worker.ipynb          a notebook alone: its %%writefile cells, or its code
    SUBMISSIONS/gil_4711_12345_api.py          loose files, as Canvas names them, of gil_4711

Files are copied, never run, and links are not followed. A remark names what cannot be read.
"""

import contextlib
import errno
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from jobs_kit.grading.batch.exercise_folders import folders
from jobs_kit.grading.batch.placement import place_files
from jobs_kit.grading.batch.unpacking import unpack
from jobs_kit.grading.limits import (
    REMARK_CHARACTERS,
    SUBMISSION_BYTES,
    SUBMISSION_REMARKS,
)
from jobs_kit.queue_watch import evidence_file
from jobs_kit.queue_watch.evidence import ENOUGH
from jobs_kit.redis_server.text import text

IMPOSSIBLE_NAME = {  # the errors of a system for a name that no file can have
    getattr(errno, f"E{name}")
    for name in ("NAMETOOLONG", "NOTDIR", "ISDIR", "EXIST", "NOENT", "INVAL", "ILSEQ")
}
LOOSE = re.compile(r"(.+?)(?:_LATE)?_(\d+)_\d+_(.+[.](?:py|ipynb))", re.ASCII)


@dataclass
class HandIn:
    """What one student handed in.

    files: {(exercise folder, file name): bytes}. remarks: what was left out, and why. newest: when
    the latest file was saved, in seconds since 1970. room: how many bytes may still be read.
    """

    student: str
    files: dict = field(default_factory=dict)
    remarks: list = field(default_factory=list)
    newest: float = 0
    room: int = SUBMISSION_BYTES

    def remark(self, message):
        """Add a line about what was left out, unless there are many already."""
        if len(self.remarks) < SUBMISSION_REMARKS:
            self.remarks.append(one_line(message)[:REMARK_CHARACTERS])

    def write(self, place):
        """Write the files into place/<exercise folder>/…, a folder for each exercise."""
        for folder in folders():
            (place / folder).mkdir(parents=True, exist_ok=True)
        for (folder, name), data in self.files.items():
            path = place / folder / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            except (OSError, ValueError) as problem:  # a zip file may hold any names
                if isinstance(problem, OSError) and problem.errno not in IMPOSSIBLE_NAME:
                    # a full disk must not look like an answer that is missing
                    reason = (
                        f"{problem.strerror} (submissions are written there to be judged; TMPDIR "
                        "chooses the place)"
                    )
                    raise OSError(problem.errno, reason, str(place)) from None
                self.remark(f"{name[:60]!r} cannot be the name of a file here; left out")


def students(place):
    """Return {name: path} of the students in a folder: its folders, and its zip files.

    For loose files, as Canvas packs them, it is {name: {the student's name of a file: its path}}. A
    folder that is itself a hand-in counts as one student, named as the folder. Raises
    NotADirectoryError.
    """
    place = Path(place).resolve()
    if not place.is_dir():
        raise NotADirectoryError(f"{place} is not a folder of submissions")
    names = {path.name for path in place.iterdir()}
    if names & set(folders()) or names & set().union(*folders().values()):
        return {place.name: place}
    by_name = {}
    for path in sorted(place.iterdir()):
        if _is_a_hand_in(path):
            name = one_line(path.name if path.is_dir() else path.stem)
            while name in by_name:
                name += " (zip)"
            by_name[name] = path
        elif loose := _loose(path):
            name, file = loose
            while not isinstance(by_name.setdefault(name, {}), dict):
                name += " (files)"
            by_name[name][file] = path
    return by_name


def ignored_files(place):
    """Return the names of files in a folder of submissions that are taken for no student."""
    paths = sorted(Path(place).resolve().iterdir())
    if Path(place).resolve() in students(place).values():
        return []
    return [
        one_line(path.name)
        for path in paths
        if not (_is_a_hand_in(path) or _loose(path) or path.name.startswith((".", "__MACOSX")))
    ]


def _is_a_hand_in(path):
    if path.name.startswith((".", "__MACOSX")) or path.is_symlink():
        return False
    return path.is_dir() or (path.is_file() and path.suffix.lower() == ".zip")


def _loose(path):
    """Return (student, file name) of a loose file that Canvas has named, else None."""
    match = LOOSE.fullmatch(path.name)
    if match and path.is_file() and not path.is_symlink():
        return one_line(f"{match[1]}_{match[2]}"), match[3]
    return None


def one_line(message):
    """Return a string as one line that can be stored and printed, whatever it holds."""
    return text(str(message).replace("\n", " "))


def read(student, path):
    """Return the HandIn of a student. path: what students() has found.

    A file that cannot be read costs that student its content, and no other student anything.
    """
    hand_in = HandIn(student)
    try:
        place_files(unpack(path, hand_in), hand_in)
    except Exception as problem:  # files may hold anything; the other students must go on
        hand_in.remark(f"the submission of {student} cannot be read: {problem}")
    return hand_in


def has_evidence(hand_in, exercise):
    """Tell whether a watch has recorded an exercise: messages waited, and were taken in order."""
    recorded = hand_in.files.get((exercise.folder, evidence_file.EVIDENCE), b"")
    with contextlib.suppress(ValueError, TypeError, AttributeError, KeyError, RecursionError):
        queues = [queue for watch in json.loads(recorded)["watches"] for queue in watch["queues"]]
        return any(
            queue["most"] >= ENOUGH and queue["all_taken"] and queue["in_order"] for queue in queues
        )
    return False
