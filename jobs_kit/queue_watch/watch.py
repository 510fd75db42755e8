"""Watch the queues while a student works in two shells.

    watch_queue(folder)                # from here on, until this process ends

It does not matter which programs put and take, live shells or terminals. What it has seen is kept
in the folder of the exercise in live shells (evidence_file.py), where its checks read it. It
never writes to Redis.
"""

import contextlib
import itertools
import threading
import time
from pathlib import Path

import redis

from jobs_kit import settings
from jobs_kit.queue_watch import evidence_file
from jobs_kit.queue_watch.queue_listener import QueueListener, TooBusyError
from jobs_kit.queue_watch.queue_poller import QueuePoller
from jobs_kit.redis_server.address import RedisNotFoundError
from jobs_kit.redis_server.clients import connect
from jobs_kit.redis_server.find import named_server
from jobs_kit.redis_server.key_prefix import is_shared, own_prefix

USUAL_QUEUE, USUAL_DB = "some_queue", 1  # lesson 02's
TICK = 0.05
IDLE_SECONDS = 1800  # after so long without anything to see it ends
REST_SECONDS = 10  # so long it only looks, where too much is said to listen

_numbers = itertools.count(1)
_watches = {}  # folder -> Watch: those of this process


def watch_queue(folder):
    """Watch your queues for the exercise in live shells; return the Watch, one for each folder.

    folder: where the evidence is kept. It watches the Redis that the
    environment names, and ends after half an hour without messages, or with this process.
    Raises RedisNotFoundError with a message that says what to do.
    """
    server = the_named_server()
    folder = Path(folder).resolve()
    watch = _watches.get(folder)
    if watch is None or not watch.is_watching or watch.server.url != server.url:
        if watch:
            watch.stop()
        watch = _watches[folder] = Watch(server, folder)
    return watch


def the_named_server():
    """Return the Server that the environment names; RedisNotFoundError, too, where it names none."""
    if not settings.redis_is_named():
        raise RedisNotFoundError(
            "no Redis is named here. On a page, find_redis() comes first; a terminal of JupyterLab "
            "knows it; in any other terminal `export REDIS_URL=…` with what "
            "`print(find_redis().url)` shows on a page"
        )
    return named_server()


class Watch:
    """A thread that watches. server (Server); folder (Path): where it writes what it sees."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self._id = "-".join(map(str, [*evidence_file.this_process(), next(_numbers)]))
        self._prefix, self._identity = own_prefix(server), ""
        self._queues, self._asked_at = {}, {}
        self._written, self._last_seen = {}, time.monotonic()
        self._begun, self._stopped = threading.Event(), threading.Event()
        self._problem = None
        self._thread = threading.Thread(target=self._live, name="watch", daemon=True)
        self._thread.start()
        self._begun.wait(5)  # what the caller does next is seen

    @property
    def is_watching(self):
        """Whether its thread runs."""
        return self._thread.is_alive()

    def stop(self):
        """End it."""
        self._stopped.set()
        self._thread.join()

    def __repr__(self):
        state = "Watching" if self.is_watching else "No longer watching"
        why = f" ({self._problem!r})" if self._problem else ""
        return f"{state} your queues, for the exercise {self.folder.name}{why}"

    def _live(self):
        try:
            self._watch()
        except Exception as problem:  # a traceback would land in whatever cell runs
            self._problem = problem
        self._write(watching=False)
        self._begun.set()

    def _watch(self):
        may_listen = not is_shared(self.server) and self.server.port is not None
        rests_until = 0
        while not self._is_over():
            listens = may_listen and time.monotonic() >= rests_until
            try:
                with self._open(listens) as source:
                    self._follow(source, rests_until if may_listen and not listens else None)
            except TooBusyError:
                rests_until = time.monotonic() + REST_SECONDS
            except redis.ResponseError:
                if not listens:
                    raise
                may_listen = False
            except (redis.RedisError, OSError):  # the server may be away for a moment
                self._begun.set()
                self._stopped.wait(1)

    def _open(self, listens):
        self._identity = identity(self.server)
        start = f"hotqueue:{self._prefix}"
        if listens:
            return QueueListener(self.server, start, self._queues)
        return QueuePoller(self.server, start, self._queues, (USUAL_DB, start + USUAL_QUEUE))

    def _follow(self, source, until):
        """Look and write, until it is over or that time has come."""
        self._asked_at, answered = source.asked_at, evidence_file.read_question(self.folder)
        self._write(asked=answered)
        self._begun.set()
        while not self._is_over() and (until is None or time.monotonic() < until):
            is_time, asked = source.wait(TICK), evidence_file.read_question(self.folder)
            if is_time or asked != answered:
                source.look(thoroughly=asked != answered)
                answered = asked
                self._write(asked=answered)

    def _is_over(self):
        idle = time.monotonic() - self._last_seen
        return self._stopped.is_set() or idle > IDLE_SECONDS

    def _write(self, watching=True, asked=""):
        queues = [
            {"db": db, "key": key, **queue.evidence.summary()}
            for (db, key), queue in self._queues.items()
            if queue.evidence.happened
        ]
        seen = {
            "id": self._id,
            "process": evidence_file.this_process(),
            "server": self._identity,
            "prefix": self._prefix,
            "watching": watching,
            "asked": asked,
            "asked_at": dict(self._asked_at),
            "queues": queues,
        }
        if seen != self._written:
            if queues != self._written.get("queues"):
                self._last_seen = time.monotonic()
            self._written = seen
            evidence_file.save_watch(self.folder, seen)


def identity(server):
    """Return what tells a server from any other, and from itself before a restart, as text.

    A class's server has only its address: it refuses INFO, and outlives a student's session.
    """
    if not is_shared(server):
        with contextlib.suppress(redis.ResponseError, KeyError):
            return str(connect(server).info("server")["run_id"])
    return f"{server.host}:{server.port}"
