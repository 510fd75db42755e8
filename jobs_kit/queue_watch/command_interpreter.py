"""What do the commands that others send mean for a queue? Each one becomes notes (notes.py).

A command that is not understood here makes the trace unsure: then Redis must be asked.
"""

import json
from collections import deque

from jobs_kit.queue_watch.picture import depth
from jobs_kit.redis_server.monitor import PUSHES
from jobs_kit.redis_server.text import message_text

POPS = {"LPOP", "BLPOP"}  # those of a worker; another one makes the interpreter unsure
MOVES = {"LMOVE", "BLMOVE"}
READS = {"LLEN", "LRANGE", "LINDEX", "LPOS", "EXISTS", "TYPE", "TTL", "EVAL", "EVALSHA", "WATCH"}


class CommandInterpreter:
    """Follows one queue. key: hotqueue:some_queue; db: its database. unsure (bool): see above."""

    def __init__(self, tracker, key, db):
        self._tracker, self._key, self._db = tracker, key.encode(), db
        self._held, self._dead = self._key + b":held:", self._key + b":dead"
        self._consumers = {}  # the list of what a consumer holds: its name on the board
        self._heard_at = 0  # when the last command came
        self._caller = ""  # the client that sent the script that runs
        self._acknowledged = deque()  # messages; what becomes of their jobs may come next
        self.unsure = False

    def hear(self, command):
        """Take note of a command, whatever it is, and even if Redis refuses it."""
        try:
            self._hear(command)
        except (ValueError, LookupError, TypeError):  # its words are not what its name asks for
            self.unsure = True

    def _hear(self, command):
        if not command.by_script:
            self.settle()
            self._tracker.stop_waiting(command.client)
            self._caller = command.client
        self._heard_at = command.time
        name, words = command.name, command.arguments
        if name.startswith("FLUSH"):
            self.unsure = True
        if name == "CLIENT" and words[0].upper() == b"SETNAME":
            self._tracker.names.introduce(command.client, words[1].decode(errors="replace"))
        if not words or self._tracker.jobs.hear(command) or command.db != self._db:
            return
        if name in MOVES and self._key in words[:2]:
            self._hear_move(command)
        elif name == "LPOP" and words[0].startswith(self._held):
            self._acknowledged.extend(self._holds(words[0])[:1])
        elif name == "RPUSH" and words[0] == self._dead:
            self._hear_burial(command)
        elif name in PUSHES and words[0] == self._key:
            self._hear_push(command)
        elif name in POPS and words[0] == self._key:
            self._hear_pop(command)
        elif self._key in words and name not in READS:
            self.unsure = True

    def settle(self):
        """Say what follows from what was heard, now that no script runs."""
        at = self._heard_at
        while self._acknowledged:
            message = self._acknowledged.popleft()
            if self._tracker.holder(message) and not self._tracker.jobs.is_open(message):
                self._tracker.finish(at, message)
        self._tracker.settle(at)

    def _hear_push(self, command):
        who = self._tracker.names.of(self._client(command), "producer")
        for message in command.arguments[1:]:
            self._tracker.put(
                command.time, message_text(message), who, command.name.startswith("L")
            )

    def _hear_pop(self, command):
        client, words = self._client(command), command.arguments
        if command.name == "LPOP" and not self._waiting and not self._tracker.is_worker(client):
            return  # somebody looked whether there is a message
        who = self._ask(command.time, client)
        if command.name == "BLPOP":
            self._tracker.wait(command.time, client, who, float(words[-1]))
        else:
            for _ in range(min(int(words[1]) if words[1:] else 1, self._waiting)):
                self._tracker.take(command.time, who)

    def _hear_move(self, command):
        source, target, end, *rest = command.arguments
        if source != self._key:
            self._hear_return(command.time, source)
        elif end.upper() != b"LEFT":
            self.unsure = True
        else:
            client = self._client(command)
            who = self._ask(command.time, client, target)
            if command.name == "BLMOVE":
                self._tracker.wait(command.time, client, who, float(rest[-1]), keeps=True)
            elif self._waiting:
                self._tracker.take(command.time, who, keeps=True)

    def _hear_return(self, at, source):
        holds = self._holds(source)
        if holds:
            self._tracker.say(at, "back", message=holds[-1])
        else:
            self.unsure = True

    def _hear_burial(self, command):
        letter = json.loads(command.arguments[1])
        text = message_text(letter["message"].encode())
        for worker in list(self._tracker.now["workers"].values()):
            for message in list(worker["holds"]):
                if self._tracker.text(message) == text:
                    return self._tracker.finish(command.time, message, letter["reason"])

    def _ask(self, at, client, target=b""):
        """Return the name of the worker that asks; it is done with what it took before.

        A Consumer, which has a list of its own for what it holds, says itself when it is done.
        """
        if target.startswith(self._held):
            consumer = target.removeprefix(self._held).decode(errors="replace")
            who = self._consumers[target] = self._tracker.worker(at, client, consumer)
            return who
        who = self._tracker.worker(at, client)
        self._tracker.confirm(at, client)
        for message in self._tracker.holds(who):
            self._tracker.finish(at, message)
        return who

    @property
    def _waiting(self):
        return depth(self._tracker.now)

    def _holds(self, held):
        return self._tracker.holds(self._consumers.get(held))

    def _client(self, command):
        return self._caller if command.by_script else command.client
