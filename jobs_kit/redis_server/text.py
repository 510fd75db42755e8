"""Show what Redis returns, bytes of any kind, as text that can be printed."""

import json

LONGEST_MESSAGE = 300  # characters of a message that are shown


def text(value):
    """Return bytes, or any value, as printable text; what cannot be printed becomes an escape."""
    shown = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in shown)


def one_line(value):
    """Return bytes, or any value, as printable text without line breaks."""
    return text(value).replace("\n", "\\n") if isinstance(value, bytes) else str(value)


def cut(shown, length):
    """Return text of at most `length` characters."""
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def message_text(message):
    """Return a message (bytes) as text. A pickle is never read, because reading one runs code."""
    try:
        value = json.loads(message)
        return cut(value if isinstance(value, str) else message.decode(), LONGEST_MESSAGE)
    except (ValueError, RecursionError):
        return cut(_bytes_text(message), LONGEST_MESSAGE)


def _bytes_text(message):
    if message.startswith((b"\x80", b"(")) and message.endswith(b"."):
        return f"(a pickle of {len(message)} bytes)"
    return message.decode(errors="backslashreplace")
