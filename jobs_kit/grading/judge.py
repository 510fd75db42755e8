"""How does one get a verdict fast? From a judge that stays: pytest, fork server, Redis are ready.

    with Judge() as judge:
        verdict = judge.check("echo_worker", "exercises/echo_worker")

The judge is a process of its own (`python -m jobs_kit.grading.judge`): one line of JSON in, one
line out, and for each of them a fork of itself that runs pytest. It ends when its input does.
"""

import contextlib
import gc
import io
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading

from jobs_kit.course.exercise import EXERCISES, all_exercises
from jobs_kit.grading.verdict import Verdict

# what takes time and is not looked at here is left out
LEAN = ["no:cacheprovider", "no:unraisableexception", "no:threadexception", "no:faulthandler"]
PYTEST = ["--assert=plain", "--tb=native", "--capture=no", "-q", "-c", os.devnull]
# else pytest looks for tests from the root of the file system down
PYTEST += [f"--rootdir={EXERCISES}", f"--confcutdir={EXERCISES}"]
PYTEST += [word for name in LEAN for word in ("-p", name)]


class Judge:
    """A judge process, started when it is first needed.

    contained: None, or the number (int) of a judge whose student code lives in a world of its own.
    """

    def __init__(self, contained=None):
        self._process, self._lock = None, threading.Lock()
        self._arguments = [] if contained is None else [str(contained)]

    def check(self, exercise, folder):
        """Return the Verdict of an Exercise on the answer in a folder.

        Raises RuntimeError when the judge itself has failed; the next call starts another.
        """
        results = self.check_all(exercise.tests, folder)
        if not results:
            raise RuntimeError(f"no verdict came of {exercise.id}; run pytest on it to see why")
        return Verdict(results[0])

    def check_all(self, tests, folder, seconds=300):
        """Return the results (see verdict.py) of test files on the answers in a folder.

        seconds: then it is ended; what was not judged by then is missing from the results.
        """
        request = {"tests": list(map(str, tests)), "folder": str(folder), "seconds": seconds}
        request["environment"] = _settings()
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            try:
                self._process.stdin.write(json.dumps(request) + "\n")
                self._process.stdin.flush()
                return json.loads(self._process.stdout.readline())
            except (OSError, ValueError):
                self.close()
                raise RuntimeError("the judge has ended; try again") from None

    def warm_up(self):
        """Start the process, if there is none, without waiting for it."""
        with self._lock:
            if self._process is None:
                self._start()

    def close(self):
        """End the process."""
        if self._process:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
            self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self):
        # -P: an answer named queue.py in the current folder must not take the place of Python's
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "jobs_kit.grading.judge", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
            start_new_session=True,  # a Ctrl-C is for whoever asked
        )


def _settings():
    """Return what the environment says now of Redis; it may not have said so at the start."""
    return {k: v for k, v in os.environ.items() if k.startswith(("REDIS_", "JOBS_KIT_"))}


def serve(contained=None):
    """Answer each line of the input: a list of results for each."""
    answers, sys.stdout = sys.stdout, sys.stderr  # a print in between must not become an answer
    with tempfile.TemporaryDirectory(prefix="jobs-kit-judge-") as place:
        os.chmod(place, 0o711)  # a contained program finds the socket of its Redis there
        parts = Parts(contained, place)
        _warm_up()
        for line in sys.stdin:
            results = _in_a_fork(json.loads(line), parts)
            try:
                print(json.dumps(results), file=answers, flush=True)
            except BrokenPipeError:  # whoever asked was killed
                break
        parts.close()


class Parts:
    """What every check needs and takes time to start: a sandbox, and a Redis."""

    def __init__(self, contained, place):
        self._contained, self._place = contained, place
        self.start()

    def start(self):
        """Start both."""
        from jobs_kit.grading import plugin
        from jobs_kit.grading.programs.redis_recorder import RedisRecorder
        from jobs_kit.grading.sandbox import containment
        from jobs_kit.grading.sandbox.client import Sandbox

        containment.leave_keys()
        if self._contained is None:
            plugin.warm.update(sandbox=Sandbox(), redis=RedisRecorder())
        else:
            user = containment.student_user(self._contained, os.getppid())
            sandbox = Sandbox(contained=True, shared=self._place, user=user)
            plugin.warm.update(sandbox=sandbox, redis=RedisRecorder(self._place))

    def renew(self, ended_well):
        """Start anew what the last check has used up."""
        from jobs_kit.grading import plugin

        if not (ended_well and all(part.is_well() for part in plugin.warm.values())):
            self.close()
            self.start()

    def close(self):
        from jobs_kit.grading import plugin

        for part in plugin.warm.values():
            with contextlib.suppress(Exception):  # what is broken need not end well
                part.close()


def _warm_up():
    """Import what pytest and the checks import, so that no fork of this process needs to."""
    import pytest

    known, tests = set(sys.modules), sorted(map(str, EXERCISES.glob("*/test_*.py")))
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*PYTEST, "-p", "jobs_kit.grading.plugin", "--collect-only", *tests])
    for name in set(sys.modules) - known:
        if name.startswith("test_"):  # they are read anew, for they may be edited
            del sys.modules[name]
    all_exercises()
    gc.freeze()  # what is here now a fork need not look through, which would copy it


def _in_a_fork(request, parts):
    """Run pytest in a child, so that each check starts from the same state; return the results."""
    with tempfile.NamedTemporaryFile(mode="r", suffix=".json") as results:
        child = os.fork()
        if child == 0:
            _run_pytest(request, results.name)
        _end_with_whoever_asked(child)
        status = os.waitpid(child, 0)[1]
        text = results.read()
    parts.renew(status == 0)
    with contextlib.suppress(ValueError):
        return json.loads(text)
    return []


def _end_with_whoever_asked(child):
    """Wait until a child ends; end it as soon as nobody is there any more to hear its results."""
    if not hasattr(os, "pidfd_open"):  # not Linux
        return
    ended, poll = os.pidfd_open(child), select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(0, 0)  # the other end of our input: when it is closed, that is told unasked
    if any(fd == 0 for fd, _ in poll.poll()):
        os.kill(child, signal.SIGKILL)
    os.close(ended)


def _run_pytest(request, results):
    import pytest

    from jobs_kit.grading import plugin

    signal.alarm(request["seconds"])  # ends us at once, whatever we do
    for name in _settings():
        del os.environ[name]
    os.environ.update(request["environment"])
    options = ["-p", "jobs_kit.grading.plugin", "--submission", request["folder"]]
    log = os.open(os.environ.get("JOBS_KIT_JUDGE_LOG", os.devnull), os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = sys.stderr = open(1, "w", closefd=False)
    try:
        plugin.warm["redis"].connect()
        pytest.main([*PYTEST, *options, "--results", results, *request["tests"]])
        sys.stdout.flush()
    finally:
        os._exit(0)


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:]))
