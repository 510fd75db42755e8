"""Run two equal programs in step, as if they did the same thing at the same moment.

    submission.turns = Turns(submission, 2)
    ben, cyd = submission.start("worker.py"), submission.start("worker.py")
    submission.until(lambda: submission.turns.step() or ...)

Both send their first command to Redis, then both their second, and so on. What two programs only do
wrong if they are unlucky, they do wrong every time.
"""

import contextlib
import os
import socket
import time

MOST_SECONDS = 3  # for which a program is kept waiting for one that does something else


class Turns:
    """The turns of so many programs. path: the socket at which they ask, see sandbox/child/pace.py."""

    def __init__(self, submission, count):
        self._redis, self._count = submission.redis, count
        self.path = f"{os.path.dirname(submission.redis.path)}/turns"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        os.chmod(self.path, 0o777)  # student code may have another user
        self._listener.listen()
        self._listener.setblocking(False)
        self._programs, self._asking, self._since = [], [], 0

    def step(self):
        """Let those that ask go on, unless another will soon ask, too; to be called often."""
        with contextlib.suppress(BlockingIOError):
            self._programs.append(self._listener.accept()[0])
        for program in [each for each in self._programs if each not in self._asking]:
            with contextlib.suppress(BlockingIOError):
                self._hear(program)
        late = self._count - len(self._asking)
        overdue = time.monotonic() - self._since > MOST_SECONDS
        if self._asking and (not late or overdue or len(self._redis.blocked()) >= late):
            for program in self._asking:
                with contextlib.suppress(OSError):
                    program.send(b".")
            self._asking.clear()

    def _hear(self, program):
        if not program.recv(1, socket.MSG_DONTWAIT):
            self._programs.remove(program)
            self._count -= 1  # it has ended
            return
        if not self._asking:
            self._since = time.monotonic()
        self._asking.append(program)

    def close(self):
        """Let all programs go on without turns."""
        for each in (self._listener, *self._programs):
            each.close()
