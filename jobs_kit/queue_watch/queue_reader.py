"""Read a queue, and the jobs that go with it, without taking a message.

Each question may be refused on a server that is shared; then its answer is None.
"""

import contextlib
from typing import NamedTuple

import redis

from jobs_kit.queue_watch.job_tracker import FIELDS
from jobs_kit.queue_watch.picture import MOST_WAITING
from jobs_kit.redis_server.clients import ClientList, may_wait_at
from jobs_kit.redis_server.key_prefix import is_shared

MOST_JOBS = 200  # that are looked up in one go


class Look(NamedTuple):
    """The state of a queue: how many messages, the first of them as bytes, {address: its properties}."""

    length: int
    messages: list | None
    clients: dict


class QueueReader:
    """One queue, and the jobs that go with it, as they are in Redis.

    address: its QueueAddress. is_shared (bool): whether others use that Redis, too. Services keep their
    jobs elsewhere then.
    """

    def __init__(self, address):
        self._key, self._db = address.key, address.db
        self.job_key_start = f"{address.server.prefix}job."
        self.is_shared, self._client_list = is_shared(address.server), ClientList(address.server)
        self.client, self._may_read = address.connect(db=address.db), True
        numbers = () if self.is_shared else sorted({0, address.db})
        self._job_clients = [address.connect(db=number) for number in numbers]

    def look(self):
        """Return a Look."""
        with self.client.pipeline(transaction=False) as pipeline:
            pipeline.llen(self._key)
            if self._may_read:
                pipeline.lrange(self._key, 0, MOST_WAITING - 1)
            length, *messages = pipeline.execute(raise_on_error=False)
        if isinstance(length, Exception):
            raise length
        messages = _or_none(messages[0]) if messages else None
        self._may_read = messages is not None  # the server's log notes each refusal
        return Look(length, messages, self.clients())

    def look_at_mark(self, mark):
        """Return a Look. mark: a word that MONITOR shows at the very moment of the look."""
        with self.client.pipeline() as pipeline:
            pipeline.echo(mark).llen(self._key).lrange(self._key, 0, MOST_WAITING - 1)
            _, length, messages, clients = pipeline.client_list().execute(raise_on_error=False)
        if isinstance(length, Exception):
            raise length
        return Look(length, _or_none(messages), _by_address(_or_none(clients) or []))

    def clients(self):
        """Return who is connected, {address: properties}; of a shared Redis only your own clients."""
        if self.is_shared:
            return _by_address(self._client_list.read(self.client) or [])
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
