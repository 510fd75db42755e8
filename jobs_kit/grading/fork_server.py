"""Where does student code run? In children of this program, which knows nothing of the kit.

    python -I fork_server.py FD

It has flask, redis and hotqueue imported and hands out a fresh child in milliseconds. A request is
one JSON object, sent over the socket FD together with two pipes: one for what the child prints,
one for its report (see inside.py).
A child that moves into a session of its own is still found: this process adopts orphans.
"""

import contextlib
import ctypes
import json
import os
import selectors
import signal
import socket
import sys
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def main(control):
    """Serve until the other end of the socket closes."""
    sys.path.insert(0, str(Path(__file__).parent))
    import inside

    inside.prepare()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # Linux only
    Server(control, inside).serve()


class Server:
    """Forks a child for each request, and says in its report how it ended."""

    def __init__(self, control, inside):
        self.control, self.inside = control, inside
        self.slow = inside.SLOW_IMPORTS  # what is still to be imported
        self.reports = {}  # process id -> the pipe for the report of that child
        self.woken, wake = os.pipe()
        for fd in (self.woken, wake):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self.wake = wake

    def serve(self):
        """Answer requests, reap children, and import what is slow while nobody asks."""
        selector = selectors.DefaultSelector()
        selector.register(self.control, selectors.EVENT_READ)
        selector.register(self.woken, selectors.EVENT_READ)
        while True:
            ready = selector.select(0.2 if self.slow else None)
            if not ready and self.slow:
                self.slow = self.inside.import_next(self.slow)
            for key, _ in ready:
                if key.fileobj is self.control and not self.answer():
                    return self.end_all()
            self.reap()

    def answer(self):
        """Do what one request says; False when there will be no more."""
        text, fds, _, _ = socket.recv_fds(self.control, 1 << 20, 2)
        if not text:
            return False
        request = json.loads(text)
        if request["do"] == "end":
            self.end_all()
            self.control.send(b"ended")
            return True
        output, report = fds
        while request["preload"] and self.slow:
            self.slow = self.inside.import_next(self.slow)
        child = os.fork()
        if child == 0:
            self.become_the_child(request, output, report)
        os.close(output)
        self.reports[child] = report
        self.control.send(json.dumps({"pid": child}).encode())
        return True

    def become_the_child(self, request, output, report):
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.control.close()
        for fd in (self.woken, self.wake, *self.reports.values()):
            os.close(fd)
        self.inside.live(request, output, report)

    def reap(self):
        with contextlib.suppress(BlockingIOError):
            os.read(self.woken, 4096)
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self.report_end(*found)

    def report_end(self, child, status):
        report = self.reports.pop(child, None)
        if report is not None:
            os.set_blocking(report, False)  # a child may have filled it
            with contextlib.suppress(OSError):
                os.write(report, b'\n{"exit": %d}\n' % os.waitstatus_to_exitcode(status))
            os.close(report)

    def end_all(self):
        """Kill every descendant, adopted orphans included."""
        while children := _children():
            for child in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                self.report_end(*os.waitpid(-1, 0))


def _children():
    try:
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except OSError:  # not Linux
        return []
    return [int(pid) for pid in listed.split()]


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
