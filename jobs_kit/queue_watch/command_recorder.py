"""Record every command that a private Redis receives."""

import secrets
from collections import Counter

import redis

from jobs_kit.queue_watch.senders import KEPT, SETTINGS, Senders
from jobs_kit.redis_server.clients import connect
from jobs_kit.redis_server.monitor import (
    HASH_WRITES,
    LOOKS,
    MOVES,
    OTHER_WRITES,
    POPS,
    PUSHES,
    Monitor,
    parse_command,
)

MOST_COMMANDS = 200_000  # that are recorded; a program that sends more is stuck
CHECK = "check"  # what the check calls its own clients


class CommandRecorder:
    """The commands that a Server receives. Reading them brings them up to this moment.

    client(db) is the recorder's own redis.Redis of a database.
    """

    def __init__(self, server):
        self._server = server
        self.connect()
        for name, value in SETTINGS.items():  # one at a time: Redis 6.2 sets no two in one command
            self.client().config_set(name, value)

    def connect(self):
        """Record from now on; in a forked process with its own connections."""
        self._clients = {}
        self._monitor = Monitor(connect(self._server))
        self.forget()

    def client(self, db=0):
        """Return the recorder's own client of a database."""
        if db not in self._clients:
            self._clients[db] = self._server.connect(
                db=db, socket_timeout=10, single_connection_client=True, client_name=CHECK
            )
        return self._clients[db]

    def forget(self):
        """Forget the commands up to now."""
        self._commands, self._empty_polls, self._lengths = [], 0, Counter()
        self._empty_list = None  # (db, key) of the list that was asked last, if in vain
        self._is_waiting = False  # whether it was asked for a while
        self._announced = {}  # (db, key) of a list: how many more messages its length announced
        self.client().slowlog_reset()

    def disconnect(self):
        """End all connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._monitor.close()

    @property
    def commands(self):
        """The Commands that were sent up to this moment, oldest first."""
        self.read_on()
        return self._commands

    @property
    def empty_polls(self):
        """How often in a row, up to now, an empty list was asked without waiting (int)."""
        self.read_on()
        return self._empty_polls

    def pushes(self):
        """Return the Commands that put something on a list, the check's own left out."""
        pushes = [command for command in self.commands if command.name in PUSHES]
        return [command for command in pushes if not command.by_check]

    def pops(self):
        """Return the Commands that ask a list for a message, whether they got one or not."""
        return [command for command in self.commands if command.name in POPS | MOVES]

    @property
    def asked_in_vain(self):
        """Whether the list that was asked last, for a message or its length, has no more messages.

        It was empty and stayed so, or it gave the last one that its length had announced. A list
        that is asked without a time-out counts as one that will get a message.
        """
        self.read_on()
        return self._empty_list is not None

    def put_messages(self):
        """Return the messages (bytes) that were put on lists, the check's own left out."""
        return [message for push in self.pushes() for message in push.arguments[1:]]

    def pushes_of(self, jid):
        """Return the pushes whose messages hold the id of a job, the check's own left out."""
        word = jid.encode()
        return [push for push in self.pushes() if word in b" ".join(push.arguments[1:])]

    def writes(self, *words, since=0, in_lists=False):
        """Return [(place in commands, Command)] of what stored all of these texts in one step.

        since: the place from which on to look. in_lists: whether messages on lists count, too.
        """
        names = HASH_WRITES | OTHER_WRITES | (PUSHES if in_lists else set())
        return [
            (place, command)
            for place, command in enumerate(self.commands)
            if place >= since and command.name in names and command.holds(*words)
        ]

    def is_one_step(self, first, last):
        """Tell whether the commands at these two places are in one MULTI."""
        marks = {"MULTI", "EXEC"}
        before = [command.name for command in self.commands[:first] if command.name in marks]
        between = {command.name for command in self.commands[first:last]}
        return before[-1:] == ["MULTI"] and not between & marks

    def polled_lists(self):
        """Return {(db, key)} of the lists that were asked for messages, or how long they are."""
        polls = [command for command in self.commands if command.name in POPS | MOVES | LOOKS]
        return {(command.db, key) for command in polls for key in command.keys}

    def poll_count(self):
        """Return how often a list was asked for messages, or how long it is."""
        return sum(command.name in POPS | MOVES | LOOKS for command in self.commands)

    def put(self, db, key, *messages):
        """Put messages (bytes) on a list, as the check."""
        self.client(db).rpush(key, *messages)
        for command in reversed(self.commands):
            if command.name == "RPUSH" and command.arguments == [key.encode(), *messages]:
                command.by_check = True
                break

    def senders(self):
        """Return the Senders of the commands up to now."""
        commands = list(self.commands)  # before the log, which then has the sender of each
        return Senders(commands, self.client().execute_command("SLOWLOG", "GET", KEPT))

    def read_on(self):
        """Read the commands up to this moment."""
        mark = f"mark-{secrets.token_hex(4)}"
        self.client().echo(mark)
        for line in self._monitor.lines_before(mark.encode()):
            command = parse_command(line)
            if len(self._commands) > MOST_COMMANDS:
                raise redis.RedisError(f"it was sent more than {MOST_COMMANDS} commands")
            if command:
                self._commands.append(command)
                self._count(command)

    def _count(self, command):
        """Count what is left on the lists, to know who asked an empty one."""
        name, key = command.name, (command.db, (command.keys or [None])[0])
        if name in POPS | MOVES | LOOKS:
            self._note_poll(command, key)
        if name in PUSHES:
            if key == self._empty_list and self._is_waiting:
                self._empty_list = None  # who waits there gets the message
            self._lengths[key] += len(command.arguments) - 1
            self._empty_polls = 0
        elif name in {"DEL", "UNLINK"}:
            self._lengths[key] = 0
        elif name in POPS | MOVES | {"LREM"} and self._lengths[key]:
            self._lengths[key] -= 1
            self._empty_polls = 0
        elif name in POPS | MOVES | LOOKS and command.time_out is None and not self._lengths[key]:
            self._empty_polls += 1

    def _note_poll(self, command, key):
        """Note whether a list was asked in vain, or for the last message that its length announced."""
        in_vain = not self._lengths[key] and command.time_out != 0
        if command.name == "LLEN":
            self._announced[key] = self._lengths[key]
        elif command.time_out is None and key in self._announced:
            self._announced[key] -= 1
            in_vain = in_vain or self._announced[key] == 0
        self._empty_list, self._is_waiting = (key if in_vain else None), bool(command.time_out)


def is_in_one_step(commands, at):
    """Tell whether a command of a list is part of a script or of a MULTI."""
    names = (command.name for command in commands[at:])
    marks = (name for name in names if name in ("MULTI", "EXEC"))
    return commands[at].by_script or next(marks, None) == "EXEC"
