"""Follow the queues of one prefix by looks: what is there is compared with what was there before.

For a Redis that others use, too: no command is overheard there, and no client is disturbed. What
comes and goes between two looks is concluded from the clients: who put or took something a moment
ago.
"""

import contextlib
import time

import redis
from redis.exceptions import NoPermissionError

from jobs_kit.queue_watch.comparison import Guess, compare
from jobs_kit.queue_watch.evidence import ANYBODY
from jobs_kit.queue_watch.queue_listener import DATABASES, MOST
from jobs_kit.queue_watch.queue_recorder import WatchedQueue
from jobs_kit.redis_server.clients import ClientList, connect, may_wait_at
from jobs_kit.redis_server.key_prefix import is_shared
from jobs_kit.redis_server.monitor import FROM_THE_END, MOVES, POPS, PUSHES

NAMES_SECONDS, CLIENTS_SECONDS = 1, 0.25  # so often new queues and clients are looked for
MOMENT = 1  # seconds; what CLIENT LIST says of the time is no finer
PUTTING = {name.lower() for name in PUSHES}
SEEN_OF_PUTTERS = PUTTING | {"llen"}  # who has put something may have looked at the length since
TAKING = {name.lower() for name in POPS | MOVES}
REMOVING = {"del", "unlink", "ltrim", "lrem", "expire", "rename", "flushdb", "flushall"}


class QueuePoller:
    """Feeds queues, {(db, key): WatchedQueue}, all those whose keys begin with start.

    usual: (db, key) of the one that is looked at even where keys are not listed. On a Redis that
    others use they never are: that would list everybody's.
    """

    def __init__(self, server, start, queues, usual):
        self._server, self._start, self.queues = server, start, queues
        self.asked_at = {}
        self._usual, self._named, self._listed = usual, 0, 0
        self._may_scan, self._may_read = not is_shared(server), True
        self._client_list = ClientList(server)
        self._clients, self._before = [], {}
        self._asleep = {}  # client -> how it was listed when it waited last
        self._has_put = {}  # client that puts -> when it was last seen to do anything

    def __enter__(self):
        for queue in self.queues.values():
            queue.evidence.switch(is_heard=False)
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
        if self._may_scan and (thoroughly or now - self._named > NAMES_SECONDS):
            self._find_names()
        looks = {name: self._read(*name) for name in self.queues}
        changed = any(self._differs(self.queues[name], look) for name, look in looks.items())
        if thoroughly or changed or now - self._listed > CLIENTS_SECONDS:
            self._list_clients(thoroughly)
        for name, queue in self.queues.items():
            self._compare(queue, *looks[name])

    def _differs(self, queue, look):
        length, messages = look
        waiting = queue.recording.now["waiting"]
        known = [queue.tracker.text(message) for message in waiting]
        if messages is None:
            return length != len(known)
        return [queue.tracker.text_of(message) for message in messages] != known

    def _compare(self, queue, length, messages):
        at, tracker, count = time.time(), queue.tracker, queue.recording.count
        compare(tracker, at, length, messages, guess=self._guess(queue.db))
        if queue.recording.count == count:
            queue.say_unchanged(at)
        waiting = [client for client in self._clients if may_wait_at(client, queue.db, queue.key)]
        for client in waiting:
            self._notice_what_passed(tracker, at, client)
        tracker.see_waiting(at, [client["addr"] for client in waiting])

    def _guess(self, db):
        takers = {client["cmd"].upper() for client in self._recent(TAKING, db)}
        return Guess(
            self._who(PUTTING, db),
            self._who(TAKING, db),
            from_the_end=bool(takers) and takers <= FROM_THE_END,
            removed=not takers and bool(self._recent(REMOVING, db)),
        )

    def _notice_what_passed(self, tracker, at, client):
        """Conclude that a client that waits again got a message, if another has put one."""
        before = self._asleep.get(client["addr"])
        self._asleep[client["addr"]] = client
        if before is client or not before or not _moved(before, client):
            return
        putters = [address for address in self._has_put if address != client["addr"]]
        if putters:
            del self._has_put[putters[0]]
            tracker.put(at, "", putters[0])
            tracker.take(at, client["addr"])

    def _find_names(self):
        self._named = time.monotonic()
        for db, client in self._redis.items():
            with contextlib.suppress(redis.ResponseError):  # not allowed: there is the usual one
                for key in client.scan_iter(f"{self._start}*", count=1000, _type="list"):
                    self._find(db, key.decode(errors="replace"))

    def _find(self, db, key):
        if (db, key) not in self.queues:
            self.queues[db, key] = WatchedQueue(db, key, is_heard=False)

    def _read(self, db, key):
        """Return how many messages are on a list, and these; None where they may not be read."""
        try:
            if self._may_read:
                messages = self._redis[db].lrange(key, 0, MOST)
                return len(messages), messages
        except NoPermissionError:
            self._may_read = False  # the server's log notes each refusal
        except redis.ResponseError:  # not a list
            return 0, []
        with contextlib.suppress(redis.ResponseError):
            return min(self._redis[db].llen(key), MOST), None
        return 0, []

    def _list_clients(self, thoroughly):
        before, self._listed = self._before, time.monotonic()
        self._clients = self._client_list.read(self._redis[DATABASES[0]], thoroughly) or []
        self._before = {client["addr"]: client for client in self._clients}
        for address, client in self._before.items():
            if client["cmd"] in SEEN_OF_PUTTERS and _moved(before.get(address), client):
                self._has_put[address] = self._listed
        for known in (self._asleep, self._has_put):
            for address in set(known) - set(self._before):
                del known[address]
        for address, when in list(self._has_put.items()):
            if self._listed - when > MOMENT:
                del self._has_put[address]

    def _who(self, commands, db):
        """Return the one client that sent one of these a moment ago; ANYBODY if there are more."""
        clients = self._recent(commands, db)
        return clients[0]["addr"] if len(clients) == 1 else ANYBODY

    def _recent(self, commands, db):
        return [
            client
            for client in self._clients
            if client["cmd"] in commands
            and int(client["db"]) == db
            and int(client["idle"]) <= MOMENT
        ]


def _moved(before, client):
    """Tell whether a client has come or has sent something since it was listed before."""
    if before is None:
        return True
    if "tot-cmds" in client:
        return client["tot-cmds"] != before["tot-cmds"]
    return client["cmd"] != before["cmd"] or int(client["idle"]) < int(before["idle"])
