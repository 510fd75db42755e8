"""Run checks in forks of one process that keeps everything ready (see judge.py).

    python -m jobs_kit.grading.judge_process OPTIONS

OPTIONS are the arguments of serve(), as JSON. Each line of the input is a request as JSON, each line of
the output the list of its results. For each request the process forks, and the fork runs pytest. It
ends when its input ends.
"""

import contextlib
import gc
import io
import json
import os
import select
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from jobs_kit.course.exercise import all_exercises
from jobs_kit.course.places import EXERCISES
from jobs_kit.grading import plugin
from jobs_kit.grading.judge import kit_settings
from jobs_kit.grading.programs.redis_recorder import RedisRecorder
from jobs_kit.grading.sandbox import containment
from jobs_kit.grading.sandbox.client import Sandbox
from jobs_kit.grading.sandbox.packages import Packages
from jobs_kit.redis_server.socket_folder import base_folder

# plugins that take time and whose findings are not used
UNUSED = ["no:cacheprovider", "no:unraisableexception", "no:threadexception", "no:faulthandler"]
PYTEST = ["--assert=plain", "--tb=native", "--capture=no", "-q", "-c", os.devnull]
# otherwise pytest looks for tests from the root of the file system down
PYTEST += [f"--rootdir={EXERCISES}", f"--confcutdir={EXERCISES}"]
PYTEST += [word for name in UNUSED for word in ("-p", name)]
PYTEST += ["-p", "jobs_kit.grading.plugin"]


def serve(number, contained, packages):
    """Answer each line of the input. number, contained, packages (a dict): see Judge."""
    answers, sys.stdout = sys.stdout, sys.stderr  # a print in between must not become an answer
    with contextlib.suppress(OSError):  # where memory ends, judges end before the one who asks
        Path("/proc/self/oom_score_adj").write_text("500")
    with tempfile.TemporaryDirectory(prefix="jobs-kit-judge-", dir=base_folder()) as place:
        user = None if number is None else containment.student_user(number, os.getppid())
        _admit(user, place)
        parts = PreparedParts(contained, user, place, Packages(**packages))
        _import_checks()
        for line in sys.stdin:
            try:
                results = _run_in_a_fork(json.loads(line), parts)
            except OSError as problem:  # the system lacks processes, memory or room on its disk
                print("jobs-kit: a judge could not work:", problem)
                results = []
            try:
                print(json.dumps(results), file=answers, flush=True)
            except BrokenPipeError:  # the program that asked was killed
                break
        parts.close()


def _admit(user, place):
    """Let the user of student code find the socket of its Redis in a folder, and no other user."""
    if user is None:
        os.chmod(place, 0o711)  # a contained program may have another user without having its id
    else:
        os.chown(place, -1, user)
        os.chmod(place, 0o710)


class PreparedParts:
    """The sandbox and the Redis that every check needs; starting them takes time.

    place: a folder that student code can enter, for both.
    """

    def __init__(self, contained, user, place, packages):
        self._sandbox_options = contained, place, user, packages
        self.place = place
        self._redis_place = place if contained or user is not None else None
        self.start()

    def start(self):
        """Start both."""
        containment.leave_keys()
        sandbox, redis = Sandbox(*self._sandbox_options), RedisRecorder(self._redis_place)
        plugin.prepared.update(sandbox=sandbox, redis=redis)

    def renew(self, ended_well):
        """Restart both if the last check did not end well or has broken one of them."""
        if not (ended_well and all(part.is_well() for part in plugin.prepared.values())):
            self.close()
            self.start()

    def close(self):
        """End both."""
        for part in plugin.prepared.values():
            with contextlib.suppress(Exception):  # a broken part need not end well
                part.close()


def _import_checks():
    """Import what pytest and the checks import, so that no fork of this process needs to."""
    known, tests = set(sys.modules), sorted(map(str, EXERCISES.glob("*/test_*.py")))
    with contextlib.redirect_stdout(io.StringIO()):
        _call_pytest("--collect-only", tests=tests)
    for name in set(sys.modules) - known:
        if name.startswith("test_"):  # a fork reads these again, because they may have been edited
            del sys.modules[name]
    all_exercises()
    gc.freeze()  # so that a fork's collector doesn't touch these objects, which would copy their pages


def _run_in_a_fork(request, parts):
    """Run pytest in a child, so that each check starts from the same state; return the results."""
    with tempfile.NamedTemporaryFile(mode="r", suffix=".json") as results:
        child = os.fork()
        if child == 0:
            _run_pytest(request, results.name, parts.place)
        _end_with_the_asker(child)
        status = os.waitpid(child, 0)[1]
        text = results.read()
    parts.renew(status == 0)
    with contextlib.suppress(ValueError):
        return json.loads(text)
    return []


def _end_with_the_asker(child):
    """Wait until a child ends; kill it as soon as the program that asked has ended."""
    if not hasattr(os, "pidfd_open"):  # not Linux
        return
    ended, poll = os.pidfd_open(child), select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(0, 0)  # that the other end of our input is closed is reported without asking
    if any(fd == 0 for fd, _ in poll.poll()):
        os.kill(child, signal.SIGKILL)
    os.close(ended)


def _run_pytest(request, results, place):
    signal.alarm(request["seconds"])  # ends this process at once, whatever it does
    for name in kit_settings():
        del os.environ[name]
    os.environ.update(request["environment"])
    log = os.open(os.environ.get("JOBS_KIT_JUDGE_LOG", os.devnull), os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = sys.stderr = open(1, "w", closefd=False)
    try:
        plugin.prepared["redis"].connect()
        options = "--submission", request["folder"], "--results", results
        _call_pytest(*options, tests=[_without_marks(test, place) for test in request["tests"]])
        sys.stdout.flush()
    finally:
        os._exit(0)


def _call_pytest(*options, tests):
    # the way from here to the kit's own checks has no bracket, wherever the kit is
    os.chdir(EXERCISES)
    pytest.main([*PYTEST, *options, *map(os.path.relpath, tests)])


def _without_marks(test, place):
    """Return the path of a test file, through a link in `place` if pytest would misread its own.

    It takes a bracket for the parameters of a test, and two colons for its name.
    """
    path = os.path.relpath(test, EXERCISES)
    if "[" not in path and "::" not in path:
        return test
    link = os.path.join(tempfile.mkdtemp(dir=place), "checks")
    os.symlink(os.path.dirname(test), link)
    return os.path.join(link, os.path.basename(test))


if __name__ == "__main__":
    serve(**json.loads(sys.argv[1]))
