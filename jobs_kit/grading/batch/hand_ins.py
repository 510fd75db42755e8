"""Read a student's submission: the files of an Upload, each in its exercise folder.

    cem/final version/echo.py      one folder more than asked for
    fay/echo_worker.ipynb          a notebook alone: its %%writefile cells, or its code

Files are copied, never run, and links are not followed. A remark names what cannot be read.
"""

import contextlib
import errno
import json
from dataclasses import dataclass, field

from jobs_kit.grading.batch.exercise_folders import folders
from jobs_kit.grading.batch.placement import place_files
from jobs_kit.grading.batch.unpacking import unpack
from jobs_kit.grading.batch.uploads import one_line
from jobs_kit.grading.limits import (
    REMARK_CHARACTERS,
    SUBMISSION_BYTES,
    SUBMISSION_REMARKS,
)
from jobs_kit.queue_watch import evidence_file
from jobs_kit.queue_watch.evidence import ENOUGH

IMPOSSIBLE_NAME = {  # the errors of a system for a name that no file can have
    getattr(errno, f"E{name}")
    for name in ("NAMETOOLONG", "NOTDIR", "ISDIR", "EXIST", "NOENT", "INVAL", "ILSEQ")
}


@dataclass
class HandIn:
    """The files that one student submitted.

    files: {(exercise folder, file name): bytes}. remarks: what was left out, and why. other_files:
    names of files that can be no answer. newest: when the latest file was saved, in seconds since
    1970. room: how many bytes may still be read.
    """

    student: str
    files: dict = field(default_factory=dict)
    remarks: list = field(default_factory=list)
    other_files: list = field(default_factory=list)
    newest: float = 0
    room: int = SUBMISSION_BYTES

    def remark(self, message):
        """Add a line about something left out, unless there are many already."""
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


def read(upload):
    """Return the HandIn of an Upload.

    A file that cannot be read costs that student its content, and no other student anything.
    """
    hand_in = HandIn(upload.student)
    if upload.late:
        hand_in.remark("submitted late: the platform marks it LATE")
    try:
        raw = unpack(upload.paths, hand_in)
        place_files(raw, hand_in)
        if not raw and not hand_in.remarks:
            hand_in.remark("the submission is empty")
    except Exception as problem:  # files may hold anything; the other students must go on
        hand_in.remark(f"the submission of {upload.student} cannot be read: {problem}")
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
