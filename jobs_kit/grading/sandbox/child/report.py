"""Report to the judge what a process that runs student code does, as lines of JSON on a pipe.

{"redis_connection": {"host": ..., "port": ..., "db": ...}}     it connects to a Redis
{"queue": {"name": ..., "serializer": ..., ...}}     it made a HotQueue
{"serving": {"host": ..., "port": ..., ...}}         it serves, by app.run() or another server
{"value": ...} or {"error": ...}                     the outcome of a call
{"stack": [...]}                                     where it was when it was asked
{"threads": 2}                                       it does several things at once
{"time_limit": "..."}                                it was stopped, and why
{"exit": 0, "at": 17e8, "processor": 0.1}            it ended then, having used so many seconds
                                                     (the fork server says this)
"""

import contextlib
import json
import linecache
import os
import sys
import threading
import traceback
import types

MOST_NAMES = 500  # of a frame, that are reported

# this process: the judge's file descriptors, the folder of the answer, the path of its Redis
here = {"redis": None, "report": 3, "folder": None, "http": 4, "serving": False, "threads": False}


def send(event):
    """Write one event into the report."""
    with contextlib.suppress(OSError):
        os.write(here["report"], json.dumps(event, default=repr).encode() + b"\n")


def reporting_threads(start):
    """Return Thread.start() so that it reports that there is a second thread."""

    def start_and_report(self):
        report_threads()
        start(self)

    return start_and_report


def report_threads():
    """Report, once, that student code has a second thread or process."""
    if here["folder"] and not here["threads"]:
        here["threads"] = True
        send({"threads": 2})


def report_stack(number, frame):
    """Report where it is: the main thread, or the one in which a server answers a request."""
    others = sys._current_frames()
    others.pop(threading.get_ident(), None)
    threads = (*others.values(), frame) if here["serving"] else (frame, *others.values())
    stacks = [_frames(traceback.walk_stack(one)) for one in threads]
    send({"stack": next(filter(None, stacks), [])[::-1]})


def end_at_time_limit(number, frame):
    """Report where it is, and end; the handler of SIGXCPU."""
    report_stack(number, frame)
    send({"time_limit": "it used up its processor time"})
    os._exit(124)


def _frames(walked):
    """Return the frames of the student's own files: [{"file", "line", "name", "text"}, ...]."""
    frames = [
        _frame(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in walked
    ]
    return [frame for frame in frames if frame][-12:]


def _frame(path, line, name):
    """Return a line of one of the student's own files as a dict, or None for another file."""
    whole = os.path.join(here["folder"], path)
    if path.startswith("<") or not os.path.realpath(whole).startswith(here["folder"]):
        return None
    text = linecache.getline(whole, line).strip()
    return {
        "file": os.path.relpath(whole, here["folder"]),
        "line": line,
        "name": name,
        "text": text,
    }


class MissingError(Exception):
    """A module does not define the function that the judge wants to call. names: those it has."""

    def __init__(self, module, name):
        super().__init__(f"{module.__name__}.py defines no {name}")
        self.name, self.names = name, sorted(map(str, vars(module)))[:MOST_NAMES]


def explain(problem):
    """Return an exception as a dict: its type, its message, the student's own frames."""
    frames = _frames(traceback.walk_tb(problem.__traceback__))
    error = {"type": type(problem).__name__, "message": str(problem)[:1000], "frames": frames}
    if isinstance(problem, SyntaxError):
        error |= _explain_syntax(problem, frames)
    if isinstance(problem, ImportError | NameError | AttributeError | MissingError):
        error |= {"name": problem.name, "files": _files()}
    if isinstance(problem, MissingError):
        error["names"] = problem.names
    elif isinstance(problem, AttributeError):
        error["names"] = _attributes_of(problem.obj)
    elif isinstance(problem, ImportError):
        error["names"] = _attributes_of(sys.modules.get(problem.name))
    walked = [frame for frame, _ in traceback.walk_tb(problem.__traceback__)]
    error["connecting"] = any(frame.f_code.co_name == "get_connection" for frame in walked)
    if walked and isinstance(problem, NameError):
        error |= _names_at(walked[-1])
    elif walked:
        error["library"] = str(walked[-1].f_globals.get("__name__")).partition(".")[0]
    return error


def _explain_syntax(problem, frames):
    """Return the message and the frames of a SyntaxError, with the line that can't be read."""
    frame = _frame(str(problem.filename or "<"), problem.lineno or 0, "<module>")
    if not frame:
        return {}
    return {"message": str(problem.msg)[:1000], "frames": [*frames, frame], "unread": frame["text"]}


def _names_at(frame):
    """Return the names that are defined there, and the workers among them.

    A worker is what the decorator of a queue has returned.
    """
    values = frame.f_globals | frame.f_locals
    return {
        "names": sorted(map(str, values))[:MOST_NAMES],
        "workers": [name for name, value in values.items() if _is_worker(value)],
    }


def _files():
    """Return the names of the answer's modules."""
    files = os.listdir(here["folder"])
    return [file.removesuffix(".py") for file in files if file.endswith(".py")][:MOST_NAMES]


def _attributes_of(value):
    """Return the public attributes of a value."""
    with contextlib.suppress(Exception):  # of its own code, which may raise anything
        return [name for name in map(str, dir(value)) if not name.startswith("_")][:MOST_NAMES]
    return []


def _is_worker(value):
    # not by isinstance() or an attribute: flask.request raises where there is no request
    if type(value) is not types.FunctionType:
        return False
    return os.path.basename(value.__code__.co_filename) == "hotqueue.py"


def attributes(value):
    """Return the attributes of a module, function or class, sorted; None if not known."""
    known = isinstance(value, types.ModuleType | types.FunctionType | type)
    if not known or hasattr(value, "__getattr__"):
        return None
    return sorted({*dir(value), *dir(type(value))})


def describe(value):
    """Return a value as JSON can carry it: {"repr", "type", "value"}; bytes as {"bytes": text}."""
    return {"repr": repr(value)[:2000], "type": type(value).__name__, "value": _plain(value)}


def _plain(value, depth=0):
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return {"bytes": value.decode("latin-1")}
    if type(value).__name__ == "UUID":
        return str(value)
    if depth > 5:
        return repr(value)
    if isinstance(value, dict):
        return {"dict": [[_plain(k, depth + 1), _plain(v, depth + 1)] for k, v in value.items()]}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one, depth + 1) for one in value]
    fields = getattr(value, "_asdict", None) or getattr(value, "model_dump", None)
    if callable(fields):
        return _plain(dict(fields()), depth + 1)
    if hasattr(value, "__dict__"):
        return _plain(vars(value) | _properties(value), depth + 1)
    if isinstance(slots := getattr(type(value), "__slots__", None), list | tuple):
        return _plain({name: getattr(value, name, None) for name in slots}, depth + 1)
    return repr(value)


def _properties(value):
    names = [name for name, one in vars(type(value)).items() if isinstance(one, property)]
    with contextlib.suppress(Exception):  # of its own code, which may raise anything
        return {name: getattr(value, name) for name in names}
    return {}
