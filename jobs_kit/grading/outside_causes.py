"""Tell whether a check failed for a cause outside the answer.

An answer can bring about most of these causes itself. So a batch judges it again, alone, and
believes in the cause only if the kit's own solution fails there, too (see batch/second_look.py).
"""

import errno
import importlib.metadata
import importlib.util
import os
import re
import sys
import tempfile
import time

from jobs_kit.grading import cgroups
from jobs_kit.grading.limits import CHECK_TIMEOUT_SECONDS, MB
from jobs_kit.grading.programs.patience import Patience
from jobs_kit.grading.sandbox.client import SandboxError

ERRNOS = {  # of a system that lacks something, or keeps it from us
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EAGAIN,
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
    errno.EIO,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ESTALE,
}
DENIED = re.compile(r"Permission denied: '(/.*)'")
MISSING_MODULE = ("ImportError", "ModuleNotFoundError")
MISSING_PACKAGE = "PackageNotFoundError"  # of importlib.metadata, which reads what pip has noted


class OutsideCauses:
    """The causes outside of an answer that can make one check fail; made before that check."""

    def __init__(self):
        self._shortages = cgroups.shortages()

    def find(self, problem, sandbox=None, redis=None, processes=()):
        """Return the cause that made the check fail, as text, or None.

        problem: the exception that ended the check. sandbox, redis: what it ran in, where that was
        started. processes: the Processes of the submission.
        """
        if isinstance(problem, MemoryError | SandboxError) or _errno(problem) in ERRNOS:
            return f"the judge could not go on: {problem or 'it has no memory'}"
        if cgroups.shortages() != self._shortages:
            return "the system ran out of memory, or of processes, during this check"
        if redis and redis.was_killed():
            return "another program ended the Redis of this check"
        if sandbox and not _has_room(sandbox.home):
            return f"{sandbox.home} has no room for the files of a program"
        for path in {_missing_file(error) for one in processes for error in one.events("error")}:
            if path and not _can_be_read(path, sandbox):
                return f"no program can read {path} here, which belongs to this Python"
        return None


def _errno(problem):
    return problem.errno if isinstance(problem, OSError) else None


def _has_room(folder):
    """Tell whether a file can be written in a folder; a contained one is elsewhere, in memory."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(MB))
            file.flush()
        return True
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _missing_file(error):
    """Return the path of the file of this Python's that a program lacked, if there is one; or None.

    error: the event "error" of a program, see sandbox/child/report.py.
    """
    try:
        if denied := DENIED.search(str(error.get("message"))):
            path = denied[1]
        elif error.get("type") in MISSING_MODULE:
            path = importlib.util.find_spec(str(error.get("name"))).origin
        elif error.get("type") == MISSING_PACKAGE:
            files = importlib.metadata.files(str(error.get("name")))
            path = str(next(file.locate() for file in files if file.name == "METADATA"))
        else:
            return None
        places = tuple(os.path.join(place, "") for place in (sys.prefix, sys.base_prefix))
        return path if path.startswith(places) and os.path.exists(path) else None
    except Exception:  # whatever looking for a strange name leads to
        return None


def _can_be_read(path, sandbox):
    """Tell whether a program of the kit can read a file, in the same sandbox."""
    folder = f"{sandbox.home}/probe"
    sandbox.write(folder, {"probe.py": f"open({path!r}, 'rb').close()".encode()})
    process = sandbox.start({"do": "program", "file": "probe.py"}, folder, "none")
    patience = Patience([process], CHECK_TIMEOUT_SECONDS)
    while process.running and not patience.is_over():
        process.pump()
        time.sleep(0.005)
    return process.exit_code == 0
