"""What does everybody say to Redis? Every command that touches a queue, overheard by MONITOR.

This is exact, and for the kit's own server: MONITOR needs a user that may administer it, shows
everything, and slows a busy server down.
"""

import contextlib
import re
import secrets
import time

import redis

from jobs_kit.queue_watch.history import History
from jobs_kit.redis_server.clients import connect, is_waiting, may_wait_at, own_clients
from jobs_kit.redis_server.monitor import (
    FROM_THE_END,
    MOVES,
    POPS,
    PUSHES,
    Monitor,
    parse_command,
)

LOOK_SECONDS = 0.5  # so often who waits is asked even if nobody says anything
MOST = 200  # a queue that grows longer is not one of two shells
BUSY = 1000  # commands within a second; more, and it is time to step aside
QUEUE = b"hotqueue:"
DATABASES = (0, 1)  # where queues are looked for at the start


class TooBusyError(Exception):
    """So much is said that listening would slow down who says it."""


class MonitorSource:
    """Fills histories, {(db, key): History}, of all queues whose keys begin with start."""

    def __init__(self, server, start, histories):
        self._server, self._start, self.histories = server, start, histories
        self.asked_at = {}  # client -> [(db, key), ...] that it asked for a message last
        self._until = {}  # client -> when its waiting ends by itself
        self._too_long, self._clients = set(), []
        self._looked, self._second, self._heard, self._me = 0, 0, 0, b""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._client = connect(self._server, single_connection_client=True)
            stack.callback(self._client.close)
            self._monitor = Monitor(connect(self._server))
            stack.enter_context(self._monitor)
            for db in DATABASES:
                self._client.execute_command("SELECT", db)
                for key in self._client.scan_iter(f"{self._start}*", count=1000, _type="list"):
                    self._history(db, key.decode(errors="replace"))
            self._stack = stack.pop_all()
        self.look()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def wait(self, seconds):
        """Wait until something is said of a queue, or so long; tell whether it is time to look."""
        heard, left = False, seconds
        deadline = time.monotonic() + seconds
        while left >= 0 and self._monitor.wait(0 if heard else left):
            heard = self._hear_line(self._monitor.line()) or heard
            left = deadline - time.monotonic()
        return heard or time.monotonic() - self._looked > LOOK_SECONDS

    def look(self, thoroughly=True):
        """Hear what was said up to now, and set it right by what is there. Raises TooBusyError."""
        known, mark = list(self.histories), f"mark-{secrets.token_hex(4)}"
        pipe = self._client.pipeline()  # as one: what is there at the moment of the mark
        pipe.echo(mark)
        for db, key in known:
            pipe.execute_command("SELECT", db)
            pipe.lrange(key, 0, MOST)
        pipe.client_list()
        replies = pipe.execute(raise_on_error=False)
        while mark.encode() not in (line := self._monitor.line()):
            self._hear_line(line)
        self._me = line.split()[2].rstrip(b"]")  # what we say ourselves is not listened to
        if isinstance(replies[-1], Exception):
            raise replies[-1]
        clients = self._clients = own_clients(replies[-1], self._server)
        self._forget_who_left({one["addr"] for one in clients})
        for (db, key), values in zip(known, replies[2:-1:2], strict=True):
            if isinstance(values, redis.ResponseError):  # it became something else than a list
                values = []
            if len(values) > MOST:
                self._too_long.add((db, key))
                del self.histories[db, key]
                continue
            self.histories[db, key].correct(values, self._waiters(clients, db, key))
        if set(self.histories) - set(known):
            return self.look()
        self._looked = time.monotonic()

    def _hear_line(self, line):
        """Take in what somebody said; tell whether it was of a queue."""
        if time.monotonic() - self._second > 1:
            self._second, self._heard = time.monotonic(), 0
        self._heard += 1
        if self._heard > BUSY:
            raise TooBusyError
        speaker = QUEUE in line and re.match(rb"\+[\d.]+ \[\d+ (\S+)\]", line)
        if not speaker or speaker[1] == self._me:
            return False
        return self._hear(parse_command(line))

    def _hear(self, command):
        name, client, when = command.name, command.client, command.time
        for history in self.histories.values():  # who speaks does not wait
            history.waiters = [one for one in history.waiters if one[0] != client]
        keys = [key for key in command.keys if key.startswith(self._start)]
        histories = [one for key in keys if (one := self._history(command.db, key)) is not None]
        if not histories:
            return False
        if name in PUSHES:
            self._drop_late(histories[0], when)
            histories[0].put(command.arguments[1:], client, name.startswith("L"), when)
        elif name in POPS | MOVES:
            self._hear_asking(command, client, when, keys, histories)
        elif name == "LLEN" and client in histories[0].putters:
            histories[0].lengths = (histories[0].lengths or 0) + 1
        return True

    def _hear_asking(self, command, client, when, keys, histories):
        from_the_end = command.takes_from_the_end
        blocks = command.time_out is not None
        if blocks:
            self.asked_at[client] = [(command.db, key) for key in keys]
            self._until[client] = when + (command.time_out or float("inf"))
        full = next((one for one in histories if one.waiting), None)
        if full:
            with contextlib.suppress(ValueError):  # Redis refuses the command
                full.take(client, command.most_taken, from_the_end, when)
        elif blocks:
            for history in histories:
                history.wait(client, from_the_end)

    def _drop_late(self, history, when):
        history.waiters = [w for w in history.waiters if self._until.get(w[0], when) >= when]

    def _history(self, db, key):
        if (db, key) in self._too_long:
            return None
        if (db, key) not in self.histories:
            waiters = self._waiters(self._clients, db, key)
            self.histories[db, key] = History(waiters=waiters)
        return self.histories[db, key]

    def _waiters(self, clients, db, key):
        waiting = [one for one in clients if is_waiting(one) and self._waits_at(one, db, key)]
        waiting.sort(key=lambda one: -int(one["idle"]))
        return [(one["addr"], one["cmd"].upper() in FROM_THE_END) for one in waiting]

    def _waits_at(self, client, db, key):
        asked_at = self.asked_at.get(client["addr"])
        return (db, key) in asked_at if asked_at else may_wait_at(client, db, key)

    def _forget_who_left(self, present):
        for known in (self.asked_at, self._until):
            for client in set(known) - present:
                del known[client]
