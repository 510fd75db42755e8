"""Keep the evidence of a watch in two files in the folder of the exercise.

    .evidence.json  {"watches": [{"id", "server", "watching", "queues": [{"db", "key", ...}]}]}
    .evidence.ask   a word: every watch looks at once, and repeats it as "asked"

Several processes may watch and write, and another one reads (the judge).
"""

import contextlib
import json
import os
import socket
import time
from pathlib import Path

from jobs_kit.queue_watch.evidence import NOTHING

EVIDENCE, ASK = ".evidence.json", ".evidence.ask"
KEPT = 5  # watches whose evidence stays
LARGEST = 1 << 20  # bytes of a file that are still read
QUEUE = {"db": 0, "key": "", **NOTHING}
del QUEUE["asked_length"]  # or null
# what a watch notes; of lists: [] has texts, [x] any number of x, [x, y] these two
WATCH = {"id": "", "server": "", "prefix": "", "process": ["", 0], "queues": [QUEUE]}


def read_watches(folder):
    """Return the evidence of all watches in a folder, a list of dicts, the latest last."""
    with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
        watches = json.loads(_text(Path(folder) / EVIDENCE))["watches"]
        return [watch for watch in watches if _is_whole(watch)]
    return []


def save_watch(folder, seen):
    """Write the evidence of one watch (a dict with its "id") beside that of others."""
    path = Path(folder) / EVIDENCE
    with contextlib.suppress(OSError), _alone(folder):
        others = [watch for watch in read_watches(folder) if watch["id"] != seen["id"]]
        others = [watch for watch in others if watch["queues"] or is_alive(watch)]
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({"watches": [*others[-KEPT:], seen]}, indent=1))
        fresh.replace(path)


def state(folder):
    """Return what changes whenever something new has been seen."""
    return [(watch["id"], watch["queues"]) for watch in read_watches(folder)]


def this_process():
    """Return [name of this computer, id of this process]."""
    return [socket.gethostname(), os.getpid()]


def is_alive(watch):
    """Tell whether the process of a watch still watches, as far as this computer can tell."""
    host, process = watch["process"]
    if not watch.get("watching") or host != socket.gethostname() or process < 1:
        return False
    if os.name != "posix":  # there, to ask for a process by signal 0 would end it
        return True
    try:
        os.kill(process, 0)
    except OSError as problem:
        return isinstance(problem, PermissionError)
    return True


def ask_watches(folder, word, seconds=2):
    """Ask every watch to look at once; return read_watches() when all have, or in the end."""
    deadline, asked = time.monotonic() + seconds, False
    while True:
        watches = read_watches(folder)
        silent = [watch for watch in watches if is_alive(watch) and watch.get("asked") != word]
        if not silent or time.monotonic() > deadline:
            return watches
        if not asked:
            try:
                (Path(folder) / ASK).write_text(word)
            except OSError:
                return watches
            asked = True
        time.sleep(0.01)


def read_question(folder):
    """Return the word of the last question; "" if there is none."""
    return _text(Path(folder) / ASK)


def _is_whole(watch):
    """Tell whether all needed fields are there, because a person may have edited the file."""
    asked_at = watch.get("asked_at") if _is_like(watch, WATCH) else None
    return isinstance(asked_at, dict) and _is_like(list(asked_at.values()), [[[0, ""]]])


def _is_like(value, pattern):
    """Tell whether a value of JSON has the types of the pattern: dicts, lists, strings, numbers."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            _is_like(value.get(name), one) for name, one in pattern.items()
        )
    if isinstance(pattern, list) and isinstance(value, list):
        if len(pattern) < 2:
            pattern = (pattern or [""]) * len(value)
        return len(value) == len(pattern) and all(map(_is_like, value, pattern))
    return isinstance(value, type(pattern))


def _text(path):
    try:
        if path.stat().st_size > LARGEST:
            return ""
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


@contextlib.contextmanager
def _alone(folder):
    """Hold a lock on the folder, where there are such locks."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
