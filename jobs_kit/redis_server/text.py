"""Show what Redis returns, bytes of any kind, as text that can be printed."""


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
