"""How is a value shown in a message? As text that can be printed, and not too long."""

import re

from jobs_kit.redis_server.text import cut, one_line


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
    """Return a value as text of at most `length` characters."""
    # cut before it is searched: a pattern would need minutes for a line as long as a program prints
    return cut(without_folder(one_line(value)[: length + 1000]), length)
