"""Listen to all queues of one prefix: every command that touches one is heard."""

import contextlib
import re
import time

import redis

from jobs_kit.queue_watch.monitor_source import MonitorSource
from jobs_kit.queue_watch.queue_recorder import WatchedQueue
from jobs_kit.redis_server.clients import connect, is_waiting, may_wait_at, own_clients
from jobs_kit.redis_server.monitor import BLOCKING

LOOK_SECONDS = 0.5  # so often who waits is asked even if no command comes
MOST = 200  # a queue that grows longer is not one of two shells
BUSY = 1000  # commands within a second; more, and it is time to step aside
QUEUE, SENDER = b"hotqueue:", re.compile(rb"\+[\d.]+ \[\d+ (\S+)\]")  # in a line of MONITOR
DATABASES = (0, 1)  # where queues are looked for at the start


class TooBusyError(Exception):
    """There are so many commands that listening would slow down their senders."""


class QueueListener:
    """Feeds queues, {(db, key): WatchedQueue}, all those whose keys begin with start."""

    def __init__(self, server, start, queues):
        self._server, self._start, self.queues = server, start, queues
        self.asked_at = {}  # client -> [(db, key), ...] that it asked for a message last
        self._too_long, self._clients = set(), []
        self._looked, self._second, self._heard, self._me = 0, 0, 0, b""

    def __enter__(self):
        for queue in self.queues.values():
            queue.evidence.switch(is_heard=True)
        with contextlib.ExitStack() as stack:
            self._client = connect(self._server, single_connection_client=True)
            stack.callback(self._client.close)
            self._source = stack.enter_context(MonitorSource(connect(self._server), self))
            for db in DATABASES:
                self._client.execute_command("SELECT", db)
                for key in self._client.scan_iter(f"{self._start}*", count=1000, _type="list"):
                    self._follow(db, key.decode(errors="replace"))
            self._stack = stack.pop_all()
        self.look()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def wait(self, seconds):
        """Wait for a command on a queue, at most so long; tell whether it is time to look."""
        heard, deadline = False, time.monotonic() + seconds
        while not heard and self._source.wait(max(deadline - time.monotonic(), 0)):
            heard = self._source.read()
        return heard or time.monotonic() - self._looked > LOOK_SECONDS

    def look(self, thoroughly=True):
        """Hear the commands up to now, and compare with what is there. Raises TooBusyError."""
        known = set(self.queues)
        self._source.look()
        while set(self.queues) - known:  # heard of meanwhile, and not looked at yet
            known = set(self.queues)
            self._source.look()
        self._looked = time.monotonic()

    # What the source calls

    def concerns(self, line):
        """Tell whether a line is a command on a queue, sent by another. Raises TooBusyError."""
        if time.monotonic() - self._second > 1:
            self._second, self._heard = time.monotonic(), 0
        self._heard += 1
        if self._heard > BUSY:
            raise TooBusyError
        sender = QUEUE in line and SENDER.match(line)
        return bool(sender) and sender[1] != self._me

    def hear(self, command):
        """Take in a command on a queue."""
        keys = [key for key in command.keys if key.startswith(self._start)]
        for key in keys:
            self._follow(command.db, key, command.time)
        if command.name in BLOCKING and keys:
            self.asked_at[command.client] = [(command.db, key) for key in keys]
        for queue in self.queues.values():  # of those, too, at which the client waits no more
            queue.interpreter.hear(command)

    def ask(self, mark):
        """Return the messages of all queues, {(db, key): [bytes]}, and CLIENT LIST's dicts."""
        known = list(self.queues)
        pipe = self._client.pipeline()
        pipe.echo(mark)
        for db, key in known:
            pipe.execute_command("SELECT", db)
            pipe.lrange(key, 0, MOST)
        pipe.client_list()
        replies = pipe.execute(raise_on_error=False)
        if isinstance(replies[-1], Exception):
            raise replies[-1]
        return dict(zip(known, replies[2:-1:2], strict=True)), replies[-1]

    def compare(self, look, mark):
        """Compare what ask() returned with what was heard up to the mark."""
        queues, clients = look
        self._me = mark.client.encode()  # what we send ourselves is not listened to
        self._clients = own_clients(clients, self._server)
        for client in set(self.asked_at) - {client["addr"] for client in self._clients}:
            del self.asked_at[client]
        for name, messages in queues.items():
            self._compare(self.queues[name], mark.time, messages)

    def _compare(self, queue, at, messages):
        if isinstance(messages, redis.ResponseError):  # it became something else than a list
            messages = []
        if len(messages) > MOST:
            self._too_long.add((queue.db, queue.key))
            del self.queues[queue.db, queue.key]
            return
        clients = {client["addr"]: client for client in self._clients}
        queue.compare(at, len(messages), messages, clients)
        if not messages:
            self._assume_waiting(queue, at)

    def _assume_waiting(self, queue, at):
        """Take those for waiting that do, it seems, although they were not heard to ask."""
        for address in self._waiting_at(queue.db, queue.key):
            if not queue.tracker.is_waiting(address):
                queue.tracker.assume_waiting(at, address)

    def _follow(self, db, key, at=0):
        if (db, key) not in self._too_long and (db, key) not in self.queues:
            self.queues[db, key] = WatchedQueue(db, key, is_heard=True)
            self._assume_waiting(self.queues[db, key], at)

    def _waiting_at(self, db, key):
        """Return the addresses of clients that wait at a key, those that came first first."""
        waiting = [c for c in self._clients if is_waiting(c) and self._waits_at(c, db, key)]
        return [c["addr"] for c in sorted(waiting, key=lambda c: -int(c["idle"]))]

    def _waits_at(self, client, db, key):
        asked_at = self.asked_at.get(client["addr"])
        return (db, key) in asked_at if asked_at else may_wait_at(client, db, key)
