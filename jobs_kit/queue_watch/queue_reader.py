"""Read a queue, and the jobs that go with it, without taking a message.

Each question may be refused on a server that is shared; then its answer is None.
"""

import contextlib
from typing import NamedTuple

import redis

from jobs_kit.queue_watch.job_tracker import FIELDS
from jobs_kit.queue_watch.picture import MOST_WAITING
from jobs_kit.redis_server.clients import may_wait_at

MOST_JOBS = 200  # that are looked up in one go


class Look(NamedTuple):
    """The state of a queue: how many messages, the first of them as bytes, {address: its properties}."""

    length: int
    messages: list | None
    clients: dict


class QueueReader:
    """One queue, and the jobs that go with it, as they are in Redis.

    connect(db=number) returns a redis.Redis.
    """

    def __init__(self, connect, key, db, job_key_start):
        self._key, self._db, self.job_key_start = key, db, job_key_start
        self.client = connect(db=db)
        self._job_clients = [connect(db=number) for number in sorted({0, db})]

    def look(self, mark=None):
        """Return a Look. mark: a word that MONITOR will show at the very moment of the look."""
        with self.client.pipeline(transaction=mark is not None) as pipeline:
            if mark is not None:
                pipeline.echo(mark)
            pipeline.llen(self._key).lrange(self._key, 0, MOST_WAITING - 1)
            pipeline.client_list()
            length, messages, clients = pipeline.execute(raise_on_error=False)[-3:]
        if isinstance(length, Exception):
            raise length
        return Look(length, _or_none(messages), _by_address(_or_none(clients) or []))

    def clients(self):
        """Return who is connected, {address: properties}."""
        try:
            return _by_address(self.client.client_list())
        except redis.ResponseError:
            return {}

    def waiting(self, clients):
        """Return the addresses of those that wait, as far as Redis tells, for this queue.

        One that waits with BLMOVE, for a while each time, is heard soon enough.
        """
        waiting = [c for c in clients.values() if may_wait_at(c, self._db, self._key)]
        popping = [c for c in waiting if c["cmd"] == "blpop"]
        return [c["addr"] for c in sorted(popping, key=lambda c: -int(c["idle"]))]

    def poke(self):
        """Send something, which changes nothing and which MONITOR shows."""
        with contextlib.suppress(redis.RedisError):
            self.client.echo("poke")

    def jobs(self, ids):
        """Return {id: {field: text}} of those of the ids that are jobs."""
        jobs, ids = {}, list(ids)[-MOST_JOBS:]
        for client in self._job_clients if ids else ():
            with client.pipeline(transaction=False) as pipeline:
                for jid in ids:
                    pipeline.hmget(self.job_key_start + jid, FIELDS)
                answers = pipeline.execute(raise_on_error=False)
            for jid, values in zip(ids, answers, strict=True):
                if not isinstance(values, Exception) and values[0] is not None:
                    texts = [value and value.decode(errors="replace") for value in values]
                    jobs[jid] = {k: v for k, v in zip(FIELDS, texts, strict=True) if v}
        return jobs


def _or_none(answer):
    if isinstance(answer, redis.ResponseError):
        return None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _by_address(clients):
    return {client["addr"]: client for client in clients if "addr" in client}
