"""What happens on a queue that one may only look at? Seen by looking again and again.

For a Redis that others use, too: no command is overheard there and nobody is disturbed. What is on
the list and who waits is compared with what was there before. What comes and goes between two
looks is concluded from the clients: who put or took something a moment ago.
"""

import contextlib
import time

import redis

from jobs_kit.queue_watch.history import ANYBODY, History
from jobs_kit.queue_watch.monitor_source import DATABASES, MOST
from jobs_kit.redis_server.clients import connect, list_clients, may_wait_at
from jobs_kit.redis_server.monitor import FROM_THE_END, MOVES, POPS, PUSHES

NAMES_SECONDS, CLIENTS_SECONDS = 1, 0.25  # so often new queues and clients are looked for
MOMENT = 1  # seconds; what CLIENT LIST says of the time is no finer
PUTTING = {name.lower() for name in PUSHES}
SEEN_OF_PUTTERS = PUTTING | {"llen"}  # who has put something may have looked at the length since
TAKING = {name.lower() for name in POPS | MOVES}
REMOVING = {"del", "unlink", "ltrim", "lrem", "expire", "rename", "flushdb", "flushall"}


class PollingSource:
    """Fills histories, {(db, key): History}, of all queues whose keys begin with start.

    usual: a key that is looked at even where Redis does not list its keys.
    """

    def __init__(self, server, start, histories, usual):
        self._server, self._start, self.histories = server, start, histories
        self.asked_at = {}
        self._usual, self._named, self._listed = usual, 0, 0
        self._clients, self._before = [], {}
        self._asleep = {}  # client -> how it was listed when it waited last
        self._has_put = {}  # client that puts -> when it was last seen to do anything

    def __enter__(self):
        self._redis = {db: connect(self._server, db=db) for db in DATABASES}
        self._find(*self._usual)
        self.look()
        return self

    def __exit__(self, *_):
        for client in self._redis.values():
            client.close()

    def wait(self, seconds):
        """Wait so long; tell whether it is time to look."""
        time.sleep(seconds)
        return True

    def look(self, thoroughly=False):
        """Compare what is there with what was there; thoroughly: who is there, too."""
        now = time.monotonic()
        if thoroughly or now - self._named > NAMES_SECONDS:
            self._find_names()
        there = {name: self._values(*name) for name in self.histories}
        changed = [n for n, h in self.histories.items() if [m.value for m in h.waiting] != there[n]]
        if thoroughly or changed or now - self._listed > CLIENTS_SECONDS:
            self._list_clients()
        for name, history in self.histories.items():
            self._compare(*name, history, there[name])

    def _compare(self, db, key, history, values):
        if values or history.waiting:
            takers = {one["cmd"].upper() for one in self._recent(TAKING, db)}
            history.compare(
                values,
                self._who(PUTTING, db),
                self._who(TAKING, db),
                from_the_end=bool(takers) and takers <= FROM_THE_END,
                cleared=not takers and bool(self._recent(REMOVING, db)),
            )
        waiting = [one for one in self._clients if may_wait_at(one, db, key)]
        for client in waiting:
            self._notice_what_passed(history, client)
        history.look([(one["addr"], one["cmd"].upper() in FROM_THE_END) for one in waiting])

    def _notice_what_passed(self, history, client):
        """A client waits again: conclude that it got a message if somebody has put one."""
        before = self._asleep.get(client["addr"])
        self._asleep[client["addr"]] = client
        if before is client or not before or not _moved(before, client):
            return
        putters = [address for address in self._has_put if address != client["addr"]]
        if putters:
            del self._has_put[putters[0]]
            history.pass_on(putters[0], client["addr"])

    def _find_names(self):
        self._named = time.monotonic()
        for db, client in self._redis.items():
            with contextlib.suppress(redis.ResponseError):  # not allowed: there is the usual one
                for key in client.scan_iter(f"{self._start}*", count=1000, _type="list"):
                    self._find(db, key.decode(errors="replace"))

    def _find(self, db, key):
        self.histories.setdefault((db, key), History(lengths=None))  # LLEN can't be seen

    def _values(self, db, key):
        """Return what is on a list; where that may not be read, None for each message."""
        with contextlib.suppress(redis.ResponseError):
            return self._redis[db].lrange(key, 0, MOST)
        with contextlib.suppress(redis.ResponseError):
            return [None] * min(self._redis[db].llen(key), MOST)
        return []

    def _list_clients(self):
        before, self._listed = self._before, time.monotonic()
        self._clients = list_clients(self._redis[DATABASES[0]], self._server) or []
        self._before = {one["addr"]: one for one in self._clients}
        for address, one in self._before.items():
            if one["cmd"] in SEEN_OF_PUTTERS and _moved(before.get(address), one):
                self._has_put[address] = self._listed
        for known in (self._asleep, self._has_put):
            for address in set(known) - set(self._before):
                del known[address]
        for address, when in list(self._has_put.items()):
            if self._listed - when > MOMENT:
                del self._has_put[address]

    def _who(self, commands, db):
        """Return the one client that sent one of these a moment ago; ANYBODY if there are more."""
        found = self._recent(commands, db)
        return found[0]["addr"] if len(found) == 1 else ANYBODY

    def _recent(self, commands, db):
        return [
            one
            for one in self._clients
            if one["cmd"] in commands and int(one["db"]) == db and int(one["idle"]) <= MOMENT
        ]


def _moved(before, client):
    """Tell whether a client has come or has sent something since it was listed before."""
    if before is None:
        return True
    if "tot-cmds" in client:
        return client["tot-cmds"] != before["tot-cmds"]
    return client["cmd"] != before["cmd"] or int(client["idle"]) < int(before["idle"])
