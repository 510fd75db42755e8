"""Set the pace of student code: its sleeps are short; a word takes long to print; two take turns.

Nothing of it changes what a right program does. A program that is right only by chance is wrong
every time: it works on several messages at once, or takes two steps where two programs meet.
"""

import asyncio
import contextlib
import io
import math
import os
import socket
import threading
import time

KEPT = 0.05  # seconds of a sleep that are not shortened
SLOPE = 0.02  # a minute takes 0.2 s, an hour 0.3 s
SLOW_WRITE = 0.35  # seconds, longer than most sleeps

_sleep = time.sleep
_ends = []  # (when it would end, when it does end) of sleeps that were begun


def shorten_sleeps():
    """Shorten all sleeps. Of two sleeps the one that would end first still ends first."""
    asleep = asyncio.sleep
    time.sleep = lambda seconds: _sleep(_shortened(seconds))
    asyncio.sleep = lambda delay, result=None: asleep(_shortened(delay), result)


def _shortened(seconds):
    """Return for how long to sleep, in seconds, and note it."""
    if not hasattr(seconds, "__float__") or not seconds > 0:
        return seconds  # Python may refuse it
    now = time.monotonic()
    would_end, ends = now + seconds, now + min(seconds, KEPT)
    ends += SLOPE * min(math.log(max(seconds, KEPT) / KEPT), 50)
    _ends[:] = [pair for pair in _ends if pair[1] > now]  # the others are over
    before = max([end for would, end in _ends if would <= would_end], default=now)
    after = min([end for would, end in _ends if would > would_end], default=math.inf)
    ends = max(ends, before)
    if ends >= after:
        ends = (before + after) / 2
    _ends.append((would_end, ends))
    return max(ends - now, 0)


def take_turns(path):
    """Let each command of the main thread wait until the judge, at this socket, lets it go."""
    import redis

    judge, owner, asks = socket.socket(socket.AF_UNIX), os.getpid(), []
    judge.connect(path)
    kind = redis.connection.AbstractConnection
    send = kind.send_packed_command

    def send_in_turn(self, *arguments, **options):
        is_main = os.getpid() == owner and threading.current_thread() is threading.main_thread()
        if is_main and not asks:  # the handler of a signal may run while it asks
            asks.append(True)
            with contextlib.suppress(OSError):
                judge.send(b"?")
                judge.recv(1)
            asks.clear()
        send(self, *arguments, **options)

    kind.send_packed_command = send_in_turn


class SlowOutput(io.FileIO):
    """A file descriptor to which one word is written slowly."""

    def __init__(self, fd, word):
        super().__init__(fd, "wb")
        self._word = word.encode()

    def write(self, data):
        """Write bytes, after a while if they contain the word."""
        if self._word in bytes(data):
            _sleep(SLOW_WRITE)
        return super().write(data)
