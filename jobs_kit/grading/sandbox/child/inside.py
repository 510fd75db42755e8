"""Prepare a process for student code, and run it there.

Its connections lead to the check's Redis, whatever address they name (redirect.py); its sleeps
are short (pace.py); the kit itself cannot be imported or read; time, memory and files are limited. It
reports to the judge what it does (report.py).
"""

import contextlib
import ctypes
import fcntl
import functools
import gc
import importlib
import importlib.abc
import io
import json
import os
import resource
import runpy
import signal
import sys
import threading
import traceback
from pathlib import Path

import report
import system_calls
from pace import SlowOutput, shorten_sleeps, take_turns
from redirect import redirect
from report import here, send

SLOW_IMPORTS = ["matplotlib.figure", "matplotlib.backends.backend_agg"]
MB = 1 << 20
KEYCTL = {"x86_64": 250, "aarch64": 219}  # the number of this call to Linux
KEYCTL_JOIN, KEYCTL_CLEAR, KEYCTL_GET_PERSISTENT = 1, 7, 22
KEYS_OF_SESSION, KEYS_OF_USER = -3, (-4, -5)

# modules that student code must not find
OURS = {"inside", "own_limits", "pace", "redirect", "report", "system_calls"}
ALONE = {"resource", "runpy"}  # modules of Python that only we have imported

_libraries = set()  # the modules that student code finds imported
_rules = {}  # the places that a child may use -> Landlock's rules for them


def prepare():
    """Import the libraries of student code, and patch them; to be called before the first child."""
    # not at the top of the file: student code finds only these modules imported already
    import csv  # noqa: F401
    import uuid  # noqa: F401

    import flask.cli
    import hotqueue
    import redis
    import redis.utils
    import werkzeug.serving

    _libraries.update({name for name in sys.modules if _can_be_hidden(name)} - OURS - ALONE)

    # redis-py looks its own version up among the installed packages for each client that is made
    redis.utils.get_lib_version = functools.cache(redis.utils.get_lib_version)
    redis.utils.get_lib_version()
    _hide_kit_modules()
    shorten_sleeps()
    threading.Thread.start = report.reporting_threads(threading.Thread.start)
    os.register_at_fork(after_in_child=report.report_threads)
    redirect(redis, hotqueue, serving=(werkzeug, werkzeug.serving, flask.cli))
    for name in OURS:
        del sys.modules[name]
    gc.freeze()  # so that a child's collector doesn't touch these objects, which would copy their pages


def _hide_kit_modules():
    """Let no import find the kit, nor what is beside it in a clone."""
    sys.path[:] = [place for place in sys.path if not _is_clone(Path(place or "."))]
    sys.meta_path[:] = [f for f in sys.meta_path if "editable" not in getattr(f, "__module__", "")]
    sys.path_hooks[:] = [hook for hook in sys.path_hooks if "editable" not in repr(hook)]
    sys.path_importer_cache.clear()
    sys.meta_path.insert(0, _KitRefuser())


def _is_clone(place):
    """Tell whether a folder holds the kit and is not where Python's packages are installed."""
    return (place / "jobs_kit").exists() and not place.resolve().is_relative_to(
        Path(sys.prefix).resolve()
    )


def import_all(names):
    """Import modules of these names, those that are there."""
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()


def rules_for(allowed):
    """Return Landlock's rules that let a process use these places only; None where it is missing.

    Making them takes half as long as a fork, so the children of one server share them.
    """
    key = json.dumps(allowed)
    if key not in _rules:
        _rules[key] = _made_rules(allowed)
    return _rules[key]


def _made_rules(allowed):
    try:
        from landlock import FSAccess, Ruleset  # a package for Linux alone

        rules = Ruleset()
        reading = FSAccess.EXECUTE | FSAccess.READ_FILE | FSAccess.READ_DIR
        for path in filter(os.path.isdir, allowed["read"]):
            for place in _around(os.path.realpath(path), allowed["hidden"]):
                is_folder = os.path.isdir(place)
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                    rules.allow(place, rules=reading if is_folder else reading ^ FSAccess.READ_DIR)
            rules.allow(path, rules=FSAccess.READ_DIR)  # an import lists whole folders
        devices = FSAccess.READ_FILE | FSAccess.WRITE_FILE | FSAccess.READ_DIR
        rules.allow("/dev", rules=devices)
        # where the locks of multiprocessing are made
        rules.allow("/dev/shm", rules=devices | FSAccess.MAKE_REG | FSAccess.REMOVE_FILE)
        rules.allow(*allowed["write"])
        return rules
    except (ImportError, OSError, AttributeError):
        return None  # not Linux, or an old kernel


def _around(place, hidden):
    """Yield a place, or what is in it but the hidden folders; all paths are real."""
    if place in hidden:
        return
    if not any(folder.startswith(place + os.sep) for folder in hidden):
        yield place
        return
    for name in os.listdir(place):
        inner = f"{place.rstrip(os.sep)}/{name}"
        if os.path.exists(inner) and not os.path.islink(inner):
            yield from _around(inner, hidden)


def live(request, output, report_fd, http_fd):
    """Carry out the request, and end; runs in the child."""
    os.setsid()
    with contextlib.suppress(OSError):  # where memory ends, student code ends first
        Path("/proc/self/oom_score_adj").write_text("1000")
    if rules := rules_for(request["allowed"]):
        rules.apply()  # before their file is closed
    _take_files(output, report_fd, http_fd, request["pace"]["slow_word"])
    if request["pace"]["turns"]:
        take_turns(request["pace"]["turns"])
    _become(request["user"])  # before it enters a folder that a program may have made a link
    _enter(request["folder"], request["environment"])
    here.update(redis=request["redis"], folder=request["folder"])
    signal.signal(signal.SIGUSR1, report.report_stack)
    signal.signal(signal.SIGXCPU, report.end_at_time_limit)
    _limit(request["limits"])
    system_calls.refuse()
    _hide(request["allowed"]["hidden"])
    exit_code = _exit_code(request)
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    _wait_for_threads()
    os._exit(exit_code)


def _take_files(output, report_fd, http_fd, slow_word):
    """Put the judge's file descriptors where they belong, and close all others.

    slow_word: text that takes long to print, or None.
    """
    for fd, target in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (output, 2)):
        os.dup2(fd, target)
    report_fd, http_fd = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (report_fd, http_fd))
    os.dup2(report_fd, here["report"])
    os.dup2(http_fd, here["http"])
    os.closerange(5, 4096)
    sys.stdin = open(0)
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(_output(fd, slow_word), encoding="utf-8", write_through=True)
        for fd in (1, 2)
    )
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr


def _output(fd, slow_word):
    return SlowOutput(fd, slow_word) if slow_word else os.fdopen(fd, "wb", 0)


def _enter(folder, environment):
    """Go to a folder as a new Python would be started there."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True


def _exit_code(request):
    """Run student code; return its exit code as Python would."""
    try:
        _DO[request["do"]](request)
        return 0
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return int(ended.code or 0)
        if ended.code:
            print(ended.code, file=sys.stderr)
        return int(bool(ended.code))
    except BaseException as problem:
        traceback.print_exception(_own(problem))
        return 1


def _run_program(request):
    """Run `python FILE`."""
    sys.argv = [request["file"]]
    try:
        _look_for_hidden_libraries()
        runpy.run_path(request["file"], run_name="__main__")
    except SystemExit:
        raise
    except BaseException as problem:
        send({"error": report.explain(problem)})
        raise


def _call(request):
    """Import a module, and call a function of it so many times if one is named."""
    try:
        _look_for_hidden_libraries()
        value = importlib.import_module(request["module"])
        if request["name"] is None:
            send({"value": {"names": {n: report.attributes(v) for n, v in vars(value).items()}}})
            return
        send({"imported": True})
        function = _function_at(value, request["name"])
        for _ in range(request["times"]):
            send({"value": report.describe(function(*_decoded(request["arguments"])))})
    except BaseException as problem:
        send({"error": report.explain(problem)})
        raise


def _function_at(module, path):
    """Return the function at a path such as "add_job" or "Store.add_job", bound to an object."""
    owner, _, name = path.rpartition(".")
    kind = _defined(module, owner) if owner else None
    if not kind:
        return _defined(module, name)
    if name.startswith("__"):
        name = f"_{owner.lstrip('_')}{name}"
    if isinstance(vars(kind)[name], staticmethod | classmethod):
        return getattr(kind, name)
    objects = [value for value in vars(module).values() if kind in type(value).__mro__]
    return getattr(objects[0] if objects else kind(), name)


def _defined(module, name):
    if not hasattr(module, name):
        raise report.MissingError(module, name)
    return getattr(module, name)


_DO = {"program": _run_program, "call": _call}


class _KitRefuser(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "jobs_kit":
            raise ModuleNotFoundError(
                "your program cannot import jobs_kit: an answer consists of its own files",
                name=name,
            )


def _can_be_hidden(name):
    """Tell whether a file of this name would be found before a module that is imported."""
    origin = getattr(getattr(sys.modules[name], "__spec__", None), "origin", None)
    return "." not in name and origin not in (None, "built-in", "frozen")


def _look_for_hidden_libraries():
    """Raise ImportError where a new Python would take a file for a library.

    A module that only this process needed gives way to a file of the answer.
    """
    for entry in sorted(os.listdir(here["folder"])):
        name = entry.removesuffix(".py")
        if name == entry and not os.path.isfile(f"{entry}/__init__.py"):
            continue
        if name in _libraries:
            what = f"file {entry}" if name != entry else f"package {entry}/"
            message = f"your folder has a {what}, which hides the library of that name: rename it"
            raise ImportError(message, name=name)
        sys.modules.pop(name, None)


def _limit(limits):
    for name, value in limits.items():
        number = getattr(resource, name, None)
        if number is not None:
            with contextlib.suppress(ValueError, OSError):  # macOS knows no limit of memory
                resource.setrlimit(number, (value, value + (name == "RLIMIT_CPU")))


def _become(user):
    """Become an ordinary user, given by id; None changes nothing."""
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        _forget_keys()


def _forget_keys():
    """Remove the keys that an earlier program left: Linux keeps them for the user, not the process."""
    number = KEYCTL.get(os.uname().machine)
    if number is None:
        return
    ask = ctypes.CDLL(None).syscall
    ask(number, KEYCTL_JOIN, None)
    kept = ask(number, KEYCTL_GET_PERSISTENT, -1, KEYS_OF_SESSION)
    for keys in (kept, KEYS_OF_SESSION, *KEYS_OF_USER):
        ask(number, KEYCTL_CLEAR, keys)


def _hide(hidden):
    """Refuse to open any file of the kit, also where the kernel would allow it.

    hidden: its folders (real paths).
    """

    def refuse(event, arguments):
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.fsdecode(arguments[0])
            real = os.path.realpath(path) + os.sep
            if any(real.startswith(folder + os.sep) for folder in hidden):
                raise PermissionError(
                    f"{path} is a file of the kit, which your program cannot read"
                )

    sys.addaudithook(refuse)


def _own(problem):
    """Return the exception without the frames of this module."""
    while problem.__traceback__ and problem.__traceback__.tb_frame.f_code.co_filename in (
        __file__,
        runpy.__file__,
        "<frozen runpy>",
    ):
        problem.__traceback__ = problem.__traceback__.tb_next
    return problem


def _decoded(arguments):
    return [
        one["bytes"].encode("latin-1") if isinstance(one, dict) and "bytes" in one else one
        for one in arguments
    ]


def _wait_for_threads():
    with contextlib.suppress(Exception):
        threading._shutdown()
