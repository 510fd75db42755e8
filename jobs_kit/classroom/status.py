"""Tell what happens in a class: who is connected or waits, whose queues are how long."""

import unicodedata
from collections import Counter
from dataclasses import dataclass, field

import redis

from jobs_kit.classroom.keys import HOTQUEUE, owned_keys
from jobs_kit.classroom.rules import prefix
from jobs_kit.redis_server.clients import is_waiting
from jobs_kit.redis_server.text import cut, one_line, text

PART = 25  # clients asked for at once
LONGEST_NAME = 30  # characters of a queue's name that are shown


@dataclass
class StudentStatus:
    """What one student does.

    connections, waiting: numbers of connections; the waiting ones wait for a message.
    silent_seconds: since the last command, None if there is no connection. queues: {name: depth}.
    """

    name: str
    user: str
    is_out: bool
    connections: int = 0
    waiting: int = 0
    silent_seconds: int | None = None
    queues: dict = field(default_factory=dict)

    def add_client(self, client):
        """Count a connection, a dict of CLIENT LIST."""
        self.connections += 1
        self.waiting += is_waiting(client)
        idle = int(client["idle"])
        self.silent_seconds = (
            idle if self.silent_seconds is None else min(idle, self.silent_seconds)
        )


@dataclass
class ClassStatus:
    """What happens on a class's server.

    students: a StudentStatus for each. memory, most_memory: in bytes. connections: of all users,
    also of those that are no students.
    """

    students: list
    memory: int
    most_memory: int
    connections: int
    most_connections: int


def read_status(classroom):
    """Return the ClassStatus of a Classroom."""
    by_user = {s.user: StudentStatus(s.name, s.user, s.is_out) for s in classroom.students}
    with classroom.connect() as client:
        clients, info = list_clients(client), client.info()
        for one in clients:
            if one.get("user") in by_user:
                by_user[one["user"]].add_client(one)
    for user, name, depth in _queues(classroom):
        if user in by_user:
            queues = by_user[user].queues
            queues[name] = queues.get(name, 0) + depth  # in another database
    return ClassStatus(
        list(by_user.values()),
        info["used_memory"],
        info["maxmemory"],
        len(clients),
        info.get("maxclients", 0),
    )


def list_clients(client):
    """Return the dicts of CLIENT LIST, in parts where the list is longer than a reply may be.

    A connection's name can have a megabyte, and no rule prevents it.
    """
    try:
        return client.client_list()
    except redis.ConnectionError:
        numbers = range(1, client.client_id() + 1)
        parts = [numbers[start : start + PART] for start in range(0, len(numbers), PART)]
        return [one for part in parts for one in client.client_list(client_id=list(part))]


def table(status):
    """Return the lines of a table of a ClassStatus."""
    rows = [("name", "user", "connected", "waiting", "last command", "queues")]
    rows += [_row(student) for student in status.students]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(_pad, row, widths)).rstrip() for row in rows]
    most = f" of {status.most_memory / 2**20:.0f}" if status.most_memory else ""
    connected = sum(student.connections > 0 for student in status.students)
    return [
        *lines,
        "",
        f"{connected} of {len(status.students)} students are connected. "
        f"Connections: {status.connections} of {status.most_connections}. "
        f"Memory: {status.memory / 2**20:.0f}{most} MB.",
    ]


def _queues(classroom):
    """Yield (user, name, depth) of each queue; the name is without the prefix."""
    for client, keys in owned_keys(classroom, match=f"{HOTQUEUE.decode()}*", _type="list"):
        pipeline = client.pipeline(transaction=False)
        for _, key in keys:
            pipeline.llen(key)
        for (user, key), depth in zip(keys, pipeline.execute(), strict=True):
            name = key.removeprefix(HOTQUEUE)[len(prefix(user)) :]
            yield user, cut(one_line(name), LONGEST_NAME), depth


def _row(student):
    silent = student.silent_seconds
    queues = Counter(student.queues).most_common(3)
    shown = ", ".join(f"{name} {depth}" for name, depth in queues)
    return (
        text(student.name).replace("\n", " "),
        student.user,
        "locked out" if student.is_out else str(student.connections or "-"),
        str(student.waiting or "-"),
        "-" if silent is None else _ago(silent),
        shown + (" …" if len(student.queues) > len(queues) else ""),
    )


def _ago(seconds):
    return f"{seconds} s ago" if seconds < 120 else f"{seconds // 60} min ago"


def _pad(cell, width):
    return cell + " " * (width - _width(cell))


def _width(cell):
    """Return how many columns of a terminal a cell takes: two for each Chinese character."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in cell
    )
