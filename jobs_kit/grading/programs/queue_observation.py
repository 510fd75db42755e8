"""Observe the Redis of a student's lessons: what is there now, and what a watch has seen.

For work that leaves no file behind, which is done in shells, on the real server. Nothing is written
to that server here. Where it is another one by now, or none (an instructor grades, the kit was
started again), what was seen counts alone.
"""

import contextlib
import secrets
import time

import redis

from jobs_kit.grading.text import short
from jobs_kit.queue_watch import evidence_file
from jobs_kit.queue_watch.evidence import ENOUGH, NOTHING, SHOWN
from jobs_kit.queue_watch.watch import USUAL_DB, USUAL_QUEUE, identity, the_named_server
from jobs_kit.redis_server.address import RedisNotFoundError, server_version
from jobs_kit.redis_server.clients import (
    WAITING_COMMANDS,
    ClientList,
    connect,
    is_waiting,
    may_wait_at,
)
from jobs_kit.redis_server.key_prefix import own_prefix

MOMENT = 1  # seconds since its last command; no more than that of a client that is still at work
PATIENCE = 2  # seconds until a consumer at work counts as one that does not wait


class QueueObservation:
    """The events that were seen, and the queue as it is now.

    seen (dict): the queue that shows most, see Evidence.summary(); was_watched, is_watched (bool).
    problem (str): why Redis cannot be asked, or None. by_record (bool): whether "now" is what was
    seen last. db, key: the queue that is looked at now. length (int), messages (texts) on it.
    waiting: the clients (dicts of CLIENT LIST) that wait there; elsewhere: those that wait at
    another key; idle_askers: those that have stopped to wait; at_hand: those that asked without
    waiting. tells_who_waits (bool).
    """

    def __init__(self, folder):
        self._watches = evidence_file.ask_watches(folder, secrets.token_hex(4))
        self.was_watched = bool(self._watches)
        self.is_watched = any(map(evidence_file.is_alive, self._watches))
        self.problem, self._here, self._asked_at = None, [], {}
        self.length, self.messages, self.tells_who_waits = 0, [], True
        self.waiting, self.elsewhere, self.idle_askers, self.at_hand = [], [], [], []
        self.db, self.key = USUAL_DB, f"hotqueue:{USUAL_QUEUE}"
        try:
            self._look()
        except (RedisNotFoundError, redis.RedisError, ValueError) as problem:
            self.problem = str(problem)
        seen = [queue for watch in self._watches for queue in watch["queues"]]
        self.seen = NOTHING | max([NOTHING, *seen], key=_progress)
        nothing_now = not (self.length or self.waiting or self._here)
        self.by_record = bool(self.seen["settled"]) and nothing_now
        if self.by_record:
            self.db, self.key = self.seen["db"], self.seen["key"]

    @property
    def nothing(self):
        """Whether nothing was seen and nothing is there."""
        return not (self.seen["most"] or self.seen["at_once"] or self.length or self.waiting)

    @property
    def is_enough(self):
        """Whether so many messages waited at once that a queue was seen to grow."""
        return self.seen["most"] >= ENOUGH

    @property
    def is_drained(self):
        """Whether no message waits any more."""
        return self.by_record or (self.problem is None and not self.length)

    @property
    def client_waits(self):
        """Whether a client waits at the queue."""
        return self.by_record or bool(self.waiting)

    @property
    def place(self):
        """The queue that is looked at, as text."""
        return f"{self.key} (db {self.db})"

    def waits_elsewhere(self):
        """Return where clients wait that do not wait here, as texts."""
        places = []
        for client in self.elsewhere:
            keys = self._asked_at.get(client["addr"])
            db = client["db"]
            places += [f"{key} (db {db})" for db, key in keys or [(db, "another queue")]]
        return sorted(set(places))

    def evidence(self):
        """Return what Redis shows as lines."""
        lines = []
        if self.problem:
            lines.append("now: Redis cannot be reached")
        elif not self.by_record:
            there = f": {', '.join(self.messages)}" if self.messages else ""
            lines.append(f"now: {self.place} holds {self.length}{there}")
            who = [f"{_clients(len(self.waiting))} here"] if self.waiting else []
            who += [f"a client waits at {place}" for place in self.waits_elsewhere()]
            lines.append("now: " + ("; ".join(who) or "no client waits for a message"))
        if not self.was_watched:
            return [*lines, "before: the queues were not watched"]
        seen = self.seen
        if seen["most"]:
            lines.append(f"seen: {seen['most']} waited at once: {', '.join(seen['waited'])}")
        if seen["taken"]:
            lines.append(f"seen: taken in this order: {', '.join(seen['taken'])}")
        if seen["removed"]:
            lines.append(f"seen: {seen['removed']} of them were removed, not taken")
        if seen["at_once"]:
            lines.append(f"seen: taken the moment they came: {', '.join(seen['at_once'])}")
        return lines if len(lines) > 2 else [*lines, "before: no message was seen"]

    def _look(self):
        server = self.server = the_named_server()
        prefix, me = own_prefix(server), identity(server)
        mine = [
            watch for watch in self._watches if (watch["server"], watch["prefix"]) == (me, prefix)
        ]
        for watch in mine:
            self._asked_at |= {
                a: [tuple(n) for n in names] for a, names in watch["asked_at"].items()
            }
        self._here = [queue for watch in mine for queue in watch["queues"]]
        self.key = f"hotqueue:{prefix}{USUAL_QUEUE}"
        if self._here:
            best = max(self._here, key=_progress)
            self.db, self.key = best["db"], best["key"]
        client = connect(server, db=self.db)
        self.tells_who_waits = server_version(client)[0] != "Fakeredis"
        clients, deadline = ClientList(server), time.monotonic() + PATIENCE
        while True:
            self._count(client)
            moving = self._sort(clients.read(client))
            settled = self.waiting and not self.length
            if settled or not moving or time.monotonic() > deadline:
                return
            time.sleep(0.01)

    def _count(self, client):
        with contextlib.suppress(redis.ResponseError):  # it may hold something else, or is not ours
            self.length = client.llen(self.key)
            self.messages = [short(message) for message in client.lrange(self.key, 0, SHOWN - 1)]

    def _sort(self, clients):
        """Note who waits here, who elsewhere, who has left off; return who may come back soon."""
        if clients is None:
            self.tells_who_waits = False
            clients = []
        waiting = [client for client in clients if is_waiting(client)]
        self.waiting = [client for client in waiting if self._waits_here(client)]
        self.elsewhere = [client for client in waiting if client not in self.waiting]
        self.idle_askers = [
            client
            for client in clients
            if client["cmd"] in WAITING_COMMANDS
            and client not in waiting
            and int(client["db"]) == self.db
        ]
        self.at_hand = [
            client
            for client in clients
            if client["cmd"] in ("lpop", "rpop") and int(client["db"]) == self.db
        ]
        # a consumer that has taken a message a moment ago is on its way back
        return [client for client in self.idle_askers if int(client["idle"]) <= MOMENT]

    def _waits_here(self, client):
        asked_at = self._asked_at.get(client["addr"])
        if asked_at:
            return (self.db, self.key) in asked_at
        return may_wait_at(client, self.db, self.key)


def observation_of(source):
    """Return the QueueObservation of a Source, the same one for all checks of a run."""
    if "observation" not in source.__dict__:
        source.observation = QueueObservation(source.folder)
    return source.observation


def _progress(seen):
    """Return how far a queue's history has come, to be compared."""
    well = seen["in_order"] and seen["by_another"] and seen["all_taken"]
    return seen["most"] >= ENOUGH, well, bool(seen["at_once"]), seen["settled"], seen["most"]


def _clients(number):
    return "a client waits" if number == 1 else f"{number} clients wait"
