"""Run the checks of an exercise side by side, in forks of this process: most of their time is waiting.

Each fork has its own Redis, and its own folder and processes in the sandbox. It takes one check after
another, also one whose `after` names a check that has no result yet, but none where that has failed.
The results are asked for in the order of the file, and the plugin asks only for those of checks that
are reached in that order.
"""

import contextlib
import json
import os
import signal
import tempfile
from pathlib import Path

from _pytest.runner import runtestprotocol

from jobs_kit.grading.limits import CHECKS_AT_ONCE


class SideBySide:
    """The forks that run some items of pytest.

    run(item): returns its result, a dict that JSON can carry, with "failed" (bool). needs(item):
    returns the items without whose success it is not run. sandbox: whose branches the forks get.
    prepare(branch): is called in each fork before it begins.
    """

    def __init__(self, items, run, needs, sandbox, prepare):
        self._items, self._needs, self._sandbox, self._done = items, needs, sandbox, set()
        self._place = tempfile.TemporaryDirectory(prefix="jobs-kit-results-")
        orders, give = os.pipe()
        self._finished, finish = os.pipe()
        os.write(give, bytes(range(len(items))))
        os.close(give)
        branches = [sandbox.branch(number) for number in range(min(CHECKS_AT_ONCE, len(items)))]
        self._forks = [self._fork(branch, prepare, run, orders, finish) for branch in branches]
        for fd in (orders, finish):
            os.close(fd)
        for branch in branches:
            branch.leave()

    def result(self, item):
        """Wait for the result of an item; return None if its fork has ended without one."""
        number = self._items.index(item)
        while number not in self._done:
            finished = os.read(self._finished, 1)
            if not finished:  # all forks have ended
                return None
            self._done.update(finished)
        return json.loads(self._file(number).read_text())

    def close(self):
        """End the forks and all programs that they have started."""
        for fork in self._forks:
            with contextlib.suppress(ProcessLookupError):
                os.kill(fork, signal.SIGKILL)
            os.waitpid(fork, 0)
        os.close(self._finished)
        self._sandbox.end_processes()
        self._place.cleanup()

    def _waits_in_vain(self, item):
        """Tell whether an item is known to have failed that this one needs, or one that needs it."""
        return any(self._has_failed(one) or self._waits_in_vain(one) for one in self._needs(item))

    def _has_failed(self, item):
        with contextlib.suppress(OSError, ValueError):  # it has no result yet, or half of one
            return json.loads(self._file(self._items.index(item)).read_text())["failed"]
        return False

    def _file(self, number):
        return Path(self._place.name, f"{number}.json")

    def _fork(self, branch, prepare, run, orders, finish):
        """Start a fork that takes numbers of items from a pipe; return its process id."""
        parent, seconds = os.getpid(), signal.alarm(0)
        signal.alarm(seconds)  # a fork has no alarm unless it sets one
        child = os.fork()
        if child:
            return child
        try:
            signal.alarm(seconds)
            prepare(branch)
            while os.getppid() == parent and (order := os.read(orders, 1)):
                item = self._items[order[0]]
                if not self._waits_in_vain(item):
                    self._file(order[0]).write_text(json.dumps(run(item)))
                    os.write(finish, order)
        finally:
            os._exit(0)


def run(item):
    """Run an item of pytest; return the reports as JSON can carry them."""
    save = item.config.hook.pytest_report_to_serializable
    return [save(config=item.config, report=one) for one in runtestprotocol(item, log=False)]


def log_reports(item, reports):
    """Log the reports of an item that ran in a fork, as pytest logs those of any other."""
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for data in reports:
        report = hook.pytest_report_from_serializable(config=item.config, data=data)
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
