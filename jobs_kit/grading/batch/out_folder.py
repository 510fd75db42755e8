"""Read and write the files of the folder that a batch grades into, OUT."""

import contextlib
import errno
import fcntl
import json
from hashlib import sha256
from urllib.parse import quote

from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.results import SubmissionResult

NAME_CHARACTERS = 150  # of a file's name; systems allow 255 bytes
LOCK_FILE = ".lock"
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # the errors of a system without locks


def require_separate(out, place):
    """Raise ValueError or NotADirectoryError where grades cannot go to a folder.

    out, place: Paths of that folder and of the submissions.
    """
    out, place = out.resolve(), place.resolve()
    if out == place or place in out.parents:
        raise ValueError(
            f"--out {out} is in the folder of the submissions, where the next run would "
            "take it for a submission; name a folder elsewhere"
        )
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"--out {out} is a file; name a folder")


@contextlib.contextmanager
def locked(out):
    """Lock a folder, so that no other run writes there. Raises BlockingIOError."""
    # NFS locks only a file that is open for writing, and some servers lock nothing
    with open(out / LOCK_FILE, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(
                f"another run is grading into {out}; wait until it ends, or name another folder "
                "with --out"
            ) from None
        except OSError as problem:
            if problem.errno not in NO_LOCKS:
                raise
        yield


def require_same_exercises(out, exercises):
    """Raise ValueError where an earlier run graded exercises that this one would drop.

    out: a Path. exercises: the Exercises of this run; grades.csv gets a column for these alone.
    """
    dropped = _graded_exercises(out) & set(all_exercises()) - {one.id for one in exercises}
    if dropped:
        raise ValueError(
            f"{out} has grades for {', '.join(sorted(dropped))}, and this run would remove them: "
            "name another folder with --out, or leave out --exercise to grade everything there "
            "(a submission that has not changed takes no time)"
        )


def _graded_exercises(out):
    """Return the ids of the exercises that the results in a folder are about."""
    graded = set()
    for path in (out / "results").glob("*.json"):
        if result := _read_result(path):
            graded |= {exercise.id for exercise in result.exercises}
    return graded


def read_result(out, student):
    """Return the SubmissionResult that an earlier run wrote, or None where it is not whole."""
    return _read_result(_result_path(out, student))


def _read_result(path):
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        result = SubmissionResult.from_dict(json.loads(path.read_text(encoding="utf-8")))
        return result if result.exercises else None


def write_result(out, result):
    """Write results/<student>.json of a SubmissionResult."""
    text = json.dumps(result.to_dict(), indent=1, ensure_ascii=False)
    write_whole(_result_path(out, result.student), text)


def _result_path(out, student):
    return out / "results" / f"{file_name(student)}.json"


def write_whole(path, text):
    """Write a file as a whole or not at all: where there is no room, the old one stays."""
    part = path.with_suffix(".part")
    try:
        part.write_text(text, encoding="utf-8", newline="")
        part.replace(path)
    except OSError as problem:
        part.unlink(missing_ok=True)
        reason = (
            f"{problem.strerror} (the results so far are kept, and the same command "
            "continues there)"
        )
        raise OSError(problem.errno, reason, str(path)) from None


def file_name(student):
    """Return a student's name as the name of a file: quoted where it must be, and not too long."""
    name = quote(student, safe=" ,()+@=")
    # long names that begin alike would be the same if they were only cut
    if len(name) <= NAME_CHARACTERS:
        return name
    return f"{name[:130]} {sha256(name.encode()).hexdigest()[:16]}"
