"""What happens inside a process that runs student code, before and while it runs?

Its connections lead to the check's Redis, whatever address they name; its sleeps are short; the
kit itself cannot be imported or read; time, memory and files are limited. What it does is told to
the judge as lines of JSON:

    {"asked": {"host": ..., "port": ..., "db": ...}}     it connects to a Redis
    {"queue": {"name": ..., "serializer": ..., ...}}     it made a HotQueue
    {"serving": {"host": ..., "port": ..., ...}}         it serves, by app.run() or another server
    {"value": ...} or {"error": ...}                     what a call came to
    {"stack": [...]}                                     where it was when it was asked
    {"hands": 2}                                         it does several things at once
    {"overtime": "..."}                                  it was stopped, and why
    {"exit": 0, "processor": 0.1}                        it ended, having used so many seconds (the
                                                         fork server says this)

This module imports nothing of the kit.
"""

import asyncio
import contextlib
import fcntl
import functools
import gc
import importlib
import importlib.abc
import io
import json
import linecache
import os
import resource
import runpy
import signal
import socket
import sys
import threading
import time
import traceback
import types
import weakref
from pathlib import Path

SLOW_IMPORTS = ["matplotlib.figure", "matplotlib.backends.backend_agg"]
LONGEST_SLEEP = 0.2  # seconds
INTERNET = (socket.AF_INET, socket.AF_INET6)
MB = 1 << 20

OURS = {"inside", "resource", "runpy"}  # modules that nobody but this one has imported

_here = {"redis": None, "report": 3, "folder": None, "http": 4, "serving": False, "hands": False}
_libraries = set()  # the modules that student code finds imported
_bound = weakref.WeakKeyDictionary()  # a socket -> the address at which it would listen
_rules = {}  # the places that a child may use -> Landlock's rules for them
_sleep = time.sleep


def prepare():
    """Before the first child: import what student code imports, and bend it."""
    import csv  # noqa: F401
    import uuid  # noqa: F401

    import flask.cli
    import hotqueue
    import redis
    import redis.utils
    import werkzeug.serving

    _libraries.update({name for name in sys.modules if _can_be_hidden(name)} - OURS)

    # redis-py looks its own version up among the installed packages for each client that is made
    redis.utils.get_lib_version = functools.cache(redis.utils.get_lib_version)
    redis.utils.get_lib_version()
    sys.path[:] = [place for place in sys.path if not (Path(place or ".") / "jobs_kit").exists()]
    sys.meta_path[:] = [f for f in sys.meta_path if "editable" not in getattr(f, "__module__", "")]
    sys.path_hooks[:] = [hook for hook in sys.path_hooks if "editable" not in repr(hook)]
    sys.path_importer_cache.clear()
    sys.meta_path.insert(0, _NoKit())
    time.sleep = lambda seconds: _sleep(min(seconds, LONGEST_SLEEP))
    asleep = asyncio.sleep
    asyncio.sleep = lambda delay, result=None: asleep(min(delay, LONGEST_SLEEP), result)
    threading.Thread.start = _told_of_hands(threading.Thread.start)
    os.register_at_fork(after_in_child=_tell_of_hands)
    for kind in (redis.Connection, redis.SSLConnection, redis.UnixDomainSocketConnection):
        kind._connect = _connect
    for place in (werkzeug, werkzeug.serving, flask.cli):
        place.run_simple = _serve
    _redirect_listeners()
    _record_queues(hotqueue.HotQueue)
    gc.freeze()  # what is here now a child need not look through, which would copy it


def import_next(names):
    """Import the first of these; return the others."""
    with contextlib.suppress(ImportError):
        importlib.import_module(names[0])
    gc.freeze()
    return names[1:]


def rules_for(allowed):
    """Return Landlock's rules that let a process use these places only; None where it is missing.

    To make them takes as long as half a fork, so the children of one server share them.
    """
    key = json.dumps(allowed)
    if key not in _rules:
        _rules[key] = _made_rules(allowed)
    return _rules[key]


def _made_rules(allowed):
    try:
        from landlock import FSAccess, Ruleset

        rules = Ruleset()
        reading = FSAccess.EXECUTE | FSAccess.READ_FILE | FSAccess.READ_DIR
        for path in allowed["read"]:
            if os.path.isdir(path):
                rules.allow(path, rules=reading)
        devices = FSAccess.READ_FILE | FSAccess.WRITE_FILE | FSAccess.READ_DIR
        rules.allow("/dev", rules=devices)
        rules.allow(*allowed["write"])
        return rules
    except (ImportError, OSError, AttributeError):
        return None  # not Linux, or an old kernel


def live(request, output, report, http):
    """Be the child: do what the request says, and end."""
    os.setsid()
    with contextlib.suppress(OSError):  # where memory ends, student code ends first
        Path("/proc/self/oom_score_adj").write_text("1000")
    if rules := rules_for(request["allowed"]):
        rules.apply()  # before their file is closed
    for fd, target in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (output, 2)):
        os.dup2(fd, target)
    report, http = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (report, http))
    os.dup2(report, _here["report"])
    os.dup2(http, _here["http"])
    os.closerange(5, 4096)
    sys.stdin = open(0)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(os.fdopen(fd, "wb", 0), encoding="utf-8", write_through=True)
        for fd in (1, 2)
    )
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    _here.update(redis=request["redis"], folder=request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.path.insert(0, request["folder"])
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGUSR1, _tell_stack)
    signal.signal(signal.SIGXCPU, _end_overtime)
    _limit(request["limits"])
    _become(request["user"])
    _hide(request["hidden"])
    try:
        exit_code = _DO[request["do"]](request)
    except SystemExit as ended:
        exit_code = ended.code if isinstance(ended.code, int) else bool(ended.code)
        if exit_code is True:
            print(ended.code, file=sys.stderr)
    except BaseException as problem:
        traceback.print_exception(_own(problem))
        exit_code = 1
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    _wait_for_threads()
    os._exit(int(exit_code or 0))


def _run_program(request):
    """python FILE"""
    sys.argv = [request["file"]]
    try:
        _look_for_hidden_libraries()
        runpy.run_path(request["file"], run_name="__main__")
    except SystemExit:
        raise
    except BaseException as problem:
        _tell({"error": _explain(problem)})
        raise


def _call(request):
    """import MODULE; MODULE.NAME(*ARGUMENTS) so many TIMES, or only the import"""
    try:
        _look_for_hidden_libraries()
        value = importlib.import_module(request["module"])
        if request["name"] is None:
            _tell({"value": {"names": {n: _attributes(v) for n, v in vars(value).items()}}})
            return
        _tell({"imported": True})
        function = getattr(value, request["name"])
        for _ in range(request["times"]):
            _tell({"value": _describe(function(*_decoded(request["arguments"])))})
    except BaseException as problem:
        _tell({"error": _explain(problem)})
        raise


_DO = {"program": _run_program, "call": _call}


class _NoKit(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "jobs_kit":
            raise ModuleNotFoundError(
                "jobs_kit is not there for your program: an answer stands on its own", name=name
            )


class HiddenLibrary(ImportError):
    """A file of the answer stands where Python looks for a library first."""


def _can_be_hidden(name):
    """Tell whether a file of this name would be found before a module that is imported."""
    origin = getattr(getattr(sys.modules[name], "__spec__", None), "origin", None)
    return "." not in name and origin not in (None, "built-in", "frozen")


def _look_for_hidden_libraries():
    """Raise HiddenLibrary where Python, started anew, would take a file for a library.

    What this process has imported for itself alone gives way to a file of the answer.
    """
    for entry in sorted(os.listdir(_here["folder"])):
        name = entry.removesuffix(".py")
        if name == entry and not os.path.isfile(f"{entry}/__init__.py"):
            continue
        if name in _libraries:
            what = f"file {entry}" if name != entry else f"package {entry}/"
            said = f"your folder has a {what}, which hides the library of that name: rename it"
            raise HiddenLibrary(said, name=name)
        sys.modules.pop(name, None)


def _connect(self):
    """Connect to the check's Redis, and tell which address was asked for."""
    where = {name: getattr(self, name, None) for name in ("host", "port", "path", "db")}
    _tell({"asked": where})
    # the session's number is that of the process which the judge knows; its children have it, too
    self.client_name = self.client_name or f"pid-{os.getsid(0)}"
    # the check's Redis knows no users of a class's
    self.username = self.password = self.credential_provider = None
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(self.socket_connect_timeout)
    connection.connect(_here["redis"])
    connection.settimeout(self.socket_timeout)
    return connection


def _record_queues(kind):
    make = kind.__init__

    def record(self, name, *arguments, **options):
        make(self, name, *arguments, **options)
        names = {"name": str(name), "serializer": _name_of(self.serializer)}
        pool = options.get("connection_pool")
        patience = (pool.connection_kwargs if pool else options).get("socket_timeout", "not given")
        # asked of the client, for it may come from a pool, an address or a default
        client = getattr(self, "_HotQueue__redis", None)
        db = client.connection_pool.connection_kwargs.get("db") if client else None
        _tell({"queue": names | {"socket_timeout": patience, "db": db or 0}})

    kind.__init__ = record


def _told_of_hands(start):
    def told(self):
        _tell_of_hands()
        start(self)

    return told


def _tell_of_hands():
    """Tell, once, that student code has a thread or a process beside its first one."""
    if _here["folder"] and not _here["hands"]:
        _here["hands"] = True
        _tell({"hands": 2})


def _name_of(serializer):
    """Return the name of a serializer, a module, a class or an object; None is none."""
    if serializer is None:
        return None
    return str(getattr(serializer, "__name__", None) or type(serializer).__name__)


def _serve(hostname, port, application, **options):
    """Serve as app.run() would, at the check's socket."""
    from werkzeug.serving import make_server

    server = make_server("unix://http", 0, application, threaded=True, fd=_here["http"])
    _tell_of_serving(hostname, port, options)
    server.serve_forever()


def _tell_of_serving(host, port, options):
    wanted = {"host": host, "port": port}
    for name in ("use_reloader", "use_debugger", "threaded"):
        wanted[name] = bool(options.get(name))
    _here["serving"] = True
    _tell({"serving": wanted})


def _redirect_listeners():
    """Let a socket that would listen at a port, whoever made it, listen at the check's socket."""
    kind = socket.socket
    really = {name: getattr(kind, name) for name in ("bind", "listen", "accept", "getsockname")}
    set_option = kind.setsockopt

    def bind(self, address):
        if not (_here["folder"] and self.family in INTERNET and self.type == socket.SOCK_STREAM):
            return really["bind"](self, address)
        _bound[self] = address

    def listen(self, *backlog):
        if address := _bound.get(self):
            os.dup2(_here["http"], self.fileno())
            os.set_blocking(self.fileno(), self.gettimeout() is None)
            _tell_of_serving(*address[:2], {})
        really["listen"](self, *backlog)

    def accept(self):
        connection, address = really["accept"](self)
        return connection, ("127.0.0.1", 0) if self in _bound else address

    def getsockname(self):
        return _bound.get(self) or really["getsockname"](self)

    def setsockopt(self, level, *option):
        if level != socket.IPPROTO_TCP or not _here["folder"]:  # the check's socket knows no TCP
            set_option(self, level, *option)

    kind.bind, kind.listen, kind.accept = bind, listen, accept
    kind.getsockname, kind.setsockopt = getsockname, setsockopt


def _limit(limits):
    for name, value in limits.items():
        number = getattr(resource, name, None)
        if number is not None:
            with contextlib.suppress(ValueError, OSError):  # macOS knows no limit of memory
                resource.setrlimit(number, (value, value + (name == "RLIMIT_CPU")))


def _become(user):
    """Go on as an ordinary user; None stays who we are."""
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)


def _hide(hidden):
    """Let this process read nothing of the kit, and say so, whatever the kernel refuses."""

    def refuse(event, arguments):
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.fsdecode(arguments[0])
            if path.startswith(hidden) or os.path.realpath(path).startswith(hidden + os.sep):
                raise PermissionError(f"{path} belongs to the kit; your program cannot read it")

    sys.addaudithook(refuse)


def _tell(line):
    with contextlib.suppress(OSError):
        os.write(_here["report"], json.dumps(line, default=repr).encode() + b"\n")


def _tell_stack(number, frame):
    """Tell where it is: the main thread, or the one in which a server answers a request."""
    others = sys._current_frames()
    others.pop(threading.get_ident(), None)
    threads = (*others.values(), frame) if _here["serving"] else (frame, *others.values())
    stacks = [_frames(traceback.walk_stack(one)) for one in threads]
    _tell({"stack": next(filter(None, stacks), [])[::-1]})


def _end_overtime(number, frame):
    _tell_stack(number, frame)
    _tell({"overtime": "it used up its processor time"})
    os._exit(124)


def _frames(walked):
    """Return the frames of the student's own files: [{"file", "line", "name", "text"}, ...]."""
    found = []
    for frame, line in walked:
        path = frame.f_code.co_filename
        inside = os.path.realpath(os.path.join(_here["folder"], path)).startswith(_here["folder"])
        if inside and not path.startswith("<"):
            text = linecache.getline(os.path.join(_here["folder"], path), line).strip()
            name = os.path.relpath(os.path.join(_here["folder"], path), _here["folder"])
            found.append({"file": name, "line": line, "name": frame.f_code.co_name, "text": text})
    return found[-12:]


def _explain(problem):
    frames = _frames(traceback.walk_tb(problem.__traceback__))
    said = {"type": type(problem).__name__, "message": str(problem)[:1000], "frames": frames}
    if isinstance(problem, SyntaxError):
        said |= {"file": os.path.basename(problem.filename or ""), "line": problem.lineno}
    if isinstance(problem, ImportError | NameError):
        said["name"] = problem.name
    return said


def _own(problem):
    """Return the exception without the frames of this module."""
    while problem.__traceback__ and problem.__traceback__.tb_frame.f_code.co_filename in (
        __file__,
        runpy.__file__,
        "<frozen runpy>",
    ):
        problem.__traceback__ = problem.__traceback__.tb_next
    return problem


def _attributes(value):
    """Return what may stand after the dot of a module, function or class; None if not known."""
    known = isinstance(value, types.ModuleType | types.FunctionType | type)
    if not known or hasattr(value, "__getattr__"):
        return None
    return sorted({*dir(value), *dir(type(value))})


def _describe(value):
    """Return a value as JSON can carry it: {"repr", "type", "value"}; bytes as {"bytes": text}."""
    return {"repr": repr(value)[:2000], "type": type(value).__name__, "value": _plain(value)}


def _plain(value, depth=0):
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return {"bytes": value.decode("latin-1")}
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


def _decoded(arguments):
    return [
        one["bytes"].encode("latin-1") if isinstance(one, dict) and "bytes" in one else one
        for one in arguments
    ]


def _wait_for_threads():
    with contextlib.suppress(Exception):
        threading._shutdown()
