"""Keep what a watch has seen in two files in the folder of the exercise.

    .evidence.json  {"watches": [{"id", "server", "watching", "queues": [{"db", "key", ...}]}]}
    .evidence.ask   a word: whoever watches is asked to look at once, and to repeat it as "asked"

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


def read(folder):
    """Return what all watches have noted in a folder, a list of dicts, the latest last."""
    with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
        found = json.loads(_text(Path(folder) / EVIDENCE))["watches"]
        return [one for one in found if _is_whole(one)]
    return []


def keep(folder, seen):
    """Write what one watch has seen (a dict with its "id") beside what others have."""
    path = Path(folder) / EVIDENCE
    with contextlib.suppress(OSError), _alone(folder):
        others = [one for one in read(folder) if one["id"] != seen["id"]]
        others = [one for one in others if one["queues"] or is_alive(one)]
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps({"watches": [*others[-KEPT:], seen]}, indent=1))
        fresh.replace(path)


def state(folder):
    """Return what changes whenever something new has been seen."""
    return [(one["id"], one["queues"]) for one in read(folder)]


def me():
    """Return [computer, process]: who writes here."""
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


def ask(folder, word, seconds=2):
    """Ask whoever watches to look at once; return read() when all have, or after so long."""
    deadline, asked = time.monotonic() + seconds, False
    while True:
        found = read(folder)
        silent = [one for one in found if is_alive(one) and one.get("asked") != word]
        if not silent or time.monotonic() > deadline:
            return found
        if not asked:
            try:
                (Path(folder) / ASK).write_text(word)
            except OSError:
                return found
            asked = True
        time.sleep(0.01)


def asked(folder):
    """Return the word that stands there; "" if there is none."""
    return _text(Path(folder) / ASK)


def _is_whole(watch):
    """Tell whether all is there that is asked for later; somebody may have written in the file."""
    asked_at = watch.get("asked_at") if _is_like(watch, WATCH) else None
    return isinstance(asked_at, dict) and _is_like(list(asked_at.values()), [[[0, ""]]])


def _is_like(value, pattern):
    """Tell whether a value of JSON is made like the pattern, a dict, a list, a text or a number."""
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
