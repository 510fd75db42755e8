"""Shorten values to text that a message can show."""

import re

from jobs_kit.redis_server.text import cut, one_line


def without_folder(message):
    """Return a message without the folders of the answer's files and of Python's packages."""
    in_brackets = r" \(/[^()\n]*/(?:site-packages|lib-dynload|python3[.]\d+)/[^()\n]*\)"
    message = re.sub(in_brackets, "", message)
    return re.sub(r"/[^\s'\"]*/(?:answer|site-packages)/", "", message)


def arrows(statuses):
    """Return a history of statuses as text; after eight of them it is cut."""
    texts = [short(status) for status in statuses[:8]]
    return " → ".join(texts + ["…"] * (len(statuses) > 8))


def short(value, length=70):
    """Return a value as text of at most `length` characters."""
    # cut before it is searched: a pattern could need minutes for a program's longest line
    return cut(without_folder(one_line(value)[: length + 1000]), length)
