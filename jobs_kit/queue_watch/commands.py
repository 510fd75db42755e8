"""What did somebody send to Redis? A line of MONITOR, read; and a message, made fit to show."""

import codecs
import json
import re
from typing import NamedTuple

LONGEST = 300  # characters of a message that are shown

_WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPES = {ord("\\"): b"\\\\", ord('"'): b'\\"', 10: b"\\n", 13: b"\\r", 9: b"\\t", 7: b"\\a"}


class Command(NamedTuple):
    """One command: when, in which database, by whom (address, or "lua"), its name, its words."""

    at: float
    db: int
    client: str
    name: str
    words: list  # bytes


def read_command(line):
    """Read what MONITOR says: 1732450000.1 [0 127.0.0.1:50312] "RPUSH" "key" "value"."""
    head, _, rest = line.partition(b"] ")
    at, db, client = head.split(b" ", 2)
    name, *words = (codecs.escape_decode(word)[0] for word in _WORD.findall(rest))
    return Command(
        float(at), int(db[1:]), client.decode(), name.decode(errors="replace").upper(), words
    )


def as_monitor_writes(text):
    """Return a str as a line of MONITOR has it, in bytes: \\xc3\\xb6 for ö."""
    return b"".join(
        _ESCAPES.get(byte) or (bytes([byte]) if 32 <= byte < 127 else b"\\x%02x" % byte)
        for byte in text.encode()
    )


def show_message(message):
    """Return a message (bytes) as text. A pickle is never read: reading one runs code."""
    try:
        value = json.loads(message)
        text = value if isinstance(value, str) else message.decode()
    except (ValueError, RecursionError):
        text = _show_bytes(message)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _show_bytes(message):
    if message.startswith((b"\x80", b"(")) and message.endswith(b"."):
        return f"(a pickle of {len(message)} bytes)"
    return message.decode(errors="backslashreplace")
