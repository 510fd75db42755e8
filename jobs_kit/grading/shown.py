"""How is a value shown in a message? As text that can be printed, and not too long."""

import re


def text(value):
    """Return bytes as text that can be shown."""
    shown = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in shown)


def without_folder(said):
    """Name files of the answer by their names alone: where the check has laid them is no matter.

    Where Python keeps its packages is no matter either.
    """
    said = re.sub(r" \(/[^()\n]*/(?:site-packages|lib-dynload|python3[.]\d+)/[^()\n]*\)", "", said)
    return re.sub(r"/[^\s'\"]*/(?:answer|site-packages)/", "", said)


def arrows(statuses):
    """Return a history of statuses as text, shortened where it does not end."""
    shown = [short(status) for status in statuses[:8]]
    return " → ".join(shown + ["…"] * (len(statuses) > 8))


def short(value, length=70):
    """Return a value as text of so many characters at most."""
    shown = text(value).replace("\n", "\\n") if isinstance(value, bytes) else str(value)
    # cut before it is searched: of a line as long as a program may print, a pattern needs minutes
    shown = without_folder(shown[: length + 1000])
    return shown if len(shown) <= length else shown[: length - 1] + "…"
