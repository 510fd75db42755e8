"""What did student code say to Redis? MONITOR tells it, one command a line."""

import codecs
import re
import socket
from collections import deque
from dataclasses import dataclass
from urllib.parse import urlsplit

import redis

from jobs_kit.redis_server.text import text

PUSHES = {"RPUSH", "LPUSH", "RPUSHX", "LPUSHX"}
POPS = {"LPOP", "RPOP", "BLPOP", "BRPOP", "LMPOP", "BLMPOP"}
MOVES = {"LMOVE", "BLMOVE", "RPOPLPUSH", "BRPOPLPUSH"}
LOOKS = {"LLEN", "LRANGE", "LINDEX"}
HASH_WRITES = {"HSET", "HMSET", "HSETNX"}
OTHER_WRITES = {"SET", "SETEX", "SETNX", "GETSET", "MSET", "JSON.SET"}
WORD, DB = re.compile(rb'"((?:[^"\\]|\\.)*)"'), re.compile(rb"\[(\d+) ")  # of MONITOR


@dataclass
class Command:
    """One command that somebody sent: its name in capitals, its arguments (bytes), its database.

    by_script: a Lua script ran it.
    """

    name: str
    arguments: list
    db: int
    by_check: bool = False
    by_script: bool = False

    @property
    def keys(self):
        """The keys of a list command, as text."""
        if self.name in {"BLPOP", "BRPOP"}:
            return [text(key) for key in self.arguments[:-1]]
        if self.name in {"LMPOP", "BLMPOP"}:
            return [text(key) for key in self.arguments if b":" in key]
        return [text(self.arguments[0])] if self.arguments else []

    @property
    def time_out(self):
        """How long it waits for a message, in seconds, 0 for ever; None if it does not wait."""
        if not self.name.startswith("B") or self.name not in POPS | MOVES:
            return None
        try:
            return float(self.arguments[0 if self.name == "BLMPOP" else -1])
        except (ValueError, IndexError):
            return None

    def __str__(self):
        words = [text(word) for word in self.arguments]
        return " ".join(
            [self.name, *(word if len(word) < 60 else word[:57] + "…" for word in words)]
        )


class Monitor:
    """What MONITOR says, line by line: there is much of it, and redis-py takes its time."""

    def __init__(self, server):
        told = urlsplit(server.admin_url)
        self._lines, self._rest = deque(), b""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        try:
            self._socket.connect(server.address["unix_socket_path"])
        except OSError as problem:
            raise redis.ConnectionError(f"Redis does not answer: {problem}") from None
        self._socket.sendall(f"AUTH {told.username} {told.password}\r\nMONITOR\r\n".encode())
        for _ in range(2):
            if (said := self.line()) != b"+OK":
                raise redis.ResponseError(said.decode(errors="replace"))

    def line(self):
        """Return the next line. Raises redis.RedisError when Redis is silent for long."""
        while not self._lines:
            try:
                more = self._socket.recv(1 << 16)
            except OSError as problem:
                raise redis.TimeoutError(f"Redis does not answer: {problem}") from None
            if not more:
                raise redis.ConnectionError("Redis has closed the connection")
            self._rest += more
            if b"\n" in more:  # within a line it is written as an escape
                *lines, self._rest = self._rest.split(b"\r\n")
                self._lines.extend(lines)
        return self._lines.popleft()

    def close(self):
        self._socket.close()


def parse_monitor(line):
    """Return the Command of a line of MONITOR, or None.

    1732450000.1 [0 unix:/tmp/redis.sock] "SET" "key" "value"
    """
    head, _, rest = line.partition(b"] ")
    words = [_unescaped(word) for word in WORD.findall(rest)]
    db = DB.search(head)
    if not words or not db:
        return None
    return Command(text(words[0]).upper(), words[1:], int(db[1]), by_script=head.endswith(b" lua"))


def _unescaped(word):
    return codecs.escape_decode(word)[0] if b"\\" in word else word
