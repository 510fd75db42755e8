"""Follow the commands that clients send to a Redis: MONITOR reports each one as a line."""

import codecs
import re
import ssl
import time
from collections import deque
from dataclasses import dataclass

import redis

from jobs_kit.redis_server.text import text

PUSHES = {"RPUSH", "LPUSH", "RPUSHX", "LPUSHX"}
POPS = {"LPOP", "RPOP", "BLPOP", "BRPOP", "LMPOP", "BLMPOP"}
MOVES = {"LMOVE", "BLMOVE", "RPOPLPUSH", "BRPOPLPUSH"}
BLOCKING = {name for name in POPS | MOVES if name.startswith("B")}  # they wait for a message
FROM_THE_END = {"RPOP", "BRPOP", "RPOPLPUSH", "BRPOPLPUSH"}
LOOKS = {"LLEN", "LRANGE", "LINDEX"}
HASH_WRITES = {"HSET", "HMSET", "HSETNX"}
RECORD_READS = {"HGET", "HMGET", "HGETALL", "GET", "EXISTS"}
OTHER_WRITES = {"SET", "SETEX", "SETNX", "GETSET", "MSET", "JSON.SET"}

SCRIPT = "lua"  # the client of a command that a Lua script runs
# possessive, because an argument may have megabytes
_ARGUMENT = re.compile(rb'"((?:[^"\\]++|\\.)*+)"')
_ESCAPES = {ord("\\"): b"\\\\", ord('"'): b'\\"', 10: b"\\n", 13: b"\\r", 9: b"\\t", 7: b"\\a"}


@dataclass(slots=True)
class Command:
    """One command that a client sent.

    time: seconds since 1970. db: number of its database. client: address of the client, SCRIPT for
    a command that a Lua script runs. name: in capitals. arguments: a list of bytes.
    by_check: whether the check sent it, and not a submission.
    """

    time: float
    db: int
    client: str
    name: str
    arguments: list
    by_check: bool = False

    @property
    def by_script(self):
        """Whether a Lua script ran it."""
        return self.client == SCRIPT

    @property
    def keys(self):
        """The keys of a list command, as text; of a move only its source."""
        if self.name in {"BLPOP", "BRPOP"}:
            return [text(key) for key in self.arguments[:-1]]
        if self.name in {"LMPOP", "BLMPOP"}:
            return [text(key) for key in self._counted_keys()]
        return [text(self.arguments[0])] if self.arguments else []

    def _counted_keys(self):
        first = 2 if self.name == "BLMPOP" else 1  # after the number of keys
        count = self.arguments[first - 1] if len(self.arguments) > first else b""
        return self.arguments[first : first + int(count)] if count.isdigit() else []

    @property
    def time_out(self):
        """How long it waits for a message, in seconds, 0 for forever; None if it does not wait."""
        if self.name not in BLOCKING:
            return None
        try:
            return float(self.arguments[0 if self.name == "BLMPOP" else -1])
        except (ValueError, IndexError):  # Redis refuses it
            return None

    @property
    def takes_from_the_end(self):
        """Whether a pop or a move takes the message that was put last at the tail."""
        words = [word.upper() for word in self.arguments]
        if self.name in {"LMOVE", "BLMOVE"}:
            return words[2:3] == [b"RIGHT"]
        if self.name in {"LMPOP", "BLMPOP"}:
            return b"RIGHT" in words
        return self.name in FROM_THE_END

    @property
    def most_taken(self):
        """The number of messages that a pop or a move takes at most. Raises ValueError."""
        words = self.arguments
        if self.name in {"LPOP", "RPOP"}:
            counts = words[1:2]
        else:
            counts = words[-1:] if words[-2:-1] and words[-2].upper() == b"COUNT" else []
        return int(counts[0]) if counts else 1

    def holds(self, *words):
        """Tell whether each of these texts is in some argument."""
        return all(any(word.encode() in argument for argument in self.arguments) for word in words)

    def __str__(self):
        words = [text(word) for word in self.arguments]
        return " ".join(
            [self.name, *(word if len(word) < 60 else word[:57] + "…" for word in words)]
        )


class Monitor:
    """The only follower of MONITOR: every command that a Redis receives, a line (bytes) each.

    client: a redis.Redis, from whose pool it takes a connection. timeout (seconds): for how long
    line() waits. It reads the socket itself, because there may be many lines, and redis-py takes
    seven times as long for each. A reader decides from the bytes which lines are worth parsing.
    """

    def __init__(self, client, timeout=10):
        self._client, self._timeout = (
            client,
            timeout,
        )  # a client that is dropped disconnects its pool
        self._lines, self._pieces = deque(), []
        self._connection = client.connection_pool.get_connection()
        try:
            self._connection.send_command("MONITOR")
            if (reply := self.line()) != b"+OK":
                raise redis.ResponseError(reply[1:].decode(errors="replace"))
        except BaseException:
            self.close()
            raise

    def line(self):
        """Return the next line. Raises redis.RedisError when none comes in time."""
        if not self._lines and not self.wait(self._timeout):
            raise redis.TimeoutError("Redis does not answer")
        return self._lines.popleft()

    def lines_before(self, mark):
        """Yield the lines that come before the one that contains a mark (bytes)."""
        while mark not in (line := self.line()):
            yield line

    def wait(self, seconds):
        """Wait until a line has come, so many seconds at most (None: forever); tell whether it has."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._lines:
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            if not self._receive(left):
                return False
        return True

    def _receive(self, seconds):
        """Receive some bytes; return whether there were any in time."""
        stream = self._connection._sock  # redis-py has no public name for it
        stream.settimeout(seconds)
        try:
            more = stream.recv(1 << 16)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError as problem:
            raise redis.ConnectionError(f"Redis does not answer: {problem}") from None
        if not more:
            raise redis.ConnectionError("Redis has closed the connection")
        self._pieces.append(more)
        if b"\n" in more:  # within a line it is written as an escape
            *lines, rest = b"".join(self._pieces).split(b"\r\n")
            self._lines.extend(lines)
            self._pieces = [rest]
        return True

    def close(self):
        """End the connection."""
        self._connection.disconnect()
        self._client.connection_pool.release(self._connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def parse_command(line):
    """Return the Command of a line of MONITOR, or None.

    +1732450000.1 [0 127.0.0.1:50312] "SET" "key" "value"
    """
    head, _, rest = line.partition(b"] ")
    name, *arguments = [_unescape(word) for word in _ARGUMENT.findall(rest)] or [None]
    try:
        when, db, client = head.split(b" ", 2)
        moment, number = float(when.lstrip(b"+")), int(db.lstrip(b"["))
    except ValueError:
        return None
    return name and Command(moment, number, client.decode(), text(name).upper(), arguments)


def escape(word):
    r"""Return a str as a line of MONITOR has it, in bytes: \xc3\xb6 for ö."""
    return b"".join(
        _ESCAPES.get(byte) or (bytes([byte]) if 32 <= byte < 127 else b"\\x%02x" % byte)
        for byte in word.encode()
    )


def _unescape(word):
    return codecs.escape_decode(word)[0] if b"\\" in word else word
