"""Turn the commands that others send into what happened on one queue (queue_tracker.py)."""

import json
from collections import deque

from jobs_kit.queue_watch.picture import depth
from jobs_kit.redis_server.monitor import BLOCKING, MOVES, POPS, PUSHES

REMOVALS = {"DEL", "UNLINK"}
SCRIPTS = {"EVAL", "EVALSHA"}
READS = {"LRANGE", "LINDEX", "LPOS", "EXISTS", "TYPE", "TTL", "WATCH"} | SCRIPTS
SOCKET = "unix:"  # the start of a client's address if it uses a Unix socket


class CommandInterpreter:
    """Follows one queue. key: hotqueue:some_queue; db: its database.

    unsure (bool): whether a command came whose effect is not known here, so that Redis must be
    asked what is on the queue.
    """

    def __init__(self, tracker, key, db):
        self._tracker, self._key, self._db = tracker, key.encode(), db
        self._held, self._dead = self._key + b":held:", self._key + b":dead"
        self._consumers = {}  # the list of what a consumer holds: its name on the board
        self._heard_at = 0  # when the last command arrived
        self._caller = ""  # the client that sent the script that runs
        self._acknowledged = deque()  # messages; what happens to their jobs may come next
        self.unsure = False

    def hear(self, command):
        """Take note of a command, whatever it is, and even if Redis refuses it."""
        try:
            self._begin(command)
            self._hear(command)
        except (ValueError, LookupError, TypeError):  # its arguments don't fit its name
            self.unsure = True

    def _begin(self, command):
        """Take note that a client speaks, which waits no longer."""
        if not command.by_script:
            self.settle()
        self._heard_at = command.time
        if command.by_script:
            return
        self._caller = command.client
        if not command.client.startswith(SOCKET):  # all clients of a socket have one address
            asks = command.name in BLOCKING | SCRIPTS and self._key in command.arguments
            self._tracker.stop_waiting(command.time, command.client, asks)

    def _hear(self, command):
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
        elif words[0] == self._key and name in PUSHES:
            self._hear_push(command)
        elif self._key in words and name in POPS:
            self._hear_pop(command)
        elif self._key in words:
            self._hear_other(command)

    def settle(self):
        """Say what follows from what was heard, now that no script runs."""
        at = self._heard_at
        while self._acknowledged:
            message = self._acknowledged.popleft()
            if self._tracker.holder(message) and not self._tracker.jobs.is_open(message):
                self._tracker.finish(at, message)
        self._tracker.settle(at)

    def _hear_push(self, command):
        who = self._tracker.names.of(self._sender(command), "producer")
        for message in command.arguments[1:]:
            at_head = command.name.startswith("L")
            self._tracker.put(command.time, self._tracker.text_of(message), who, at_head)

    def _hear_pop(self, command):
        self.unsure = self.unsure or len(command.keys) > 1  # of several the first that has one
        client = self._taker(command)
        if command.name in BLOCKING or self._waiting or self._tracker.is_worker(client):
            self._take(command, client, self._ask(command.time, client))

    def _hear_move(self, command):
        source, target, *ends = command.arguments
        if source != self._key:
            to_the_head = command.name.startswith(("R", "BR")) or ends[1].upper() == b"LEFT"
            self._hear_return(command.time, source if to_the_head else None)
        else:
            client = self._taker(command)
            self._take(command, client, self._ask(command.time, client, target), keeps=True)

    def _take(self, command, client, who, keeps=False):
        """Give messages to a worker, or let it wait for one."""
        from_the_end = command.takes_from_the_end
        if command.name in BLOCKING:
            seconds = float(command.time_out)  # a TypeError if Redis refuses the command
            self._tracker.wait(command.time, client, who, seconds, keeps, from_the_end)
        else:
            for _ in range(min(command.most_taken, self._waiting)):
                self._tracker.take(command.time, who, keeps, from_the_end)

    def _hear_other(self, command):
        if command.name in REMOVALS:
            for message in list(self._tracker.now["waiting"]):
                self._tracker.say(command.time, "remove", message=message)
        elif command.name == "LLEN":
            producer = self._tracker.names.known(self._sender(command), "producer")
            if producer:
                self._tracker.say(command.time, "length", who=producer)
        elif command.name not in READS:
            self.unsure = True

    def _hear_return(self, at, source):
        holds = self._holds(source)
        if holds:
            self._tracker.say(at, "back", message=holds[-1])
        else:
            self.unsure = True

    def _hear_burial(self, command):
        letter = json.loads(command.arguments[1])
        text = self._tracker.text_of(letter["message"].encode())
        for worker in list(self._tracker.now["workers"].values()):
            for message in list(worker["holds"]):
                if self._tracker.text(message) == text:
                    return self._tracker.finish(command.time, message, letter["reason"])

    def _ask(self, at, client, target=b""):
        """Return the name of the worker that asks; it is done with what it took before.

        A Consumer, which has its own list for what it holds, reports itself when it is done.
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

    def _sender(self, command):
        return self._caller if command.by_script else command.client

    def _taker(self, command):
        """Return the client that asks for a message."""
        client = self._sender(command)
        if client.startswith(SOCKET):
            return self._tracker.idle_client(client, command.time)
        return client
