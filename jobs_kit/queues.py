"""A HotQueue that loses no message when a worker dies.

New here? Read solutions/reliable_queue/reliable.py first: 94 lines of Python with the same idea.
This module adds what production needs: each step is one atomic Lua script (queues.lua), a step may
be sent again when its reply was lost, and a message that keeps killing workers is dead-lettered.

HotQueue pops a message before the work starts, so a worker that is killed in between loses it (at
most once). Here a claim moves the message to a list of the worker's own, and the acknowledgement
removes it from there (at least once): the reliable queue of
https://redis.io/docs/latest/commands/lmove/. Heartbeats renew a worker's lease. After the lease has
run out, the next client that puts or takes messages requeues the worker's.
"""

import json
import logging
import os
import re
import secrets
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import redis
from hotqueue import HotQueue
from redis import exceptions
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

STEPS = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")
LOG_PAUSE = 10  # seconds between two lines about one outage
WAIT = 2.0  # seconds that one blocking call waits in Redis before the worker sends the next
TEMPORARY = (  # redis-py has classes for some error codes, and leaves the code out of the text
    redis.ConnectionError,
    redis.TimeoutError,
    exceptions.ClusterDownError,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
    exceptions.TryAgainError,
)
REFUSALS = (
    re.compile(  # the other codes of a Redis that is full, busy or not ready; 6.2 quotes them
        r"(^|-)(BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MISCONF|NOREPLICAS|OOM|READONLY|TRYAGAIN) "
    )
)


def is_temporary(error):
    """Tell whether Redis is away, full, busy or not ready, so that the step may succeed later."""
    return isinstance(error, TEMPORARY) or bool(REFUSALS.search(str(error)))


class Outage:
    """An outage of Redis, which is logged without filling the log. place: " at …", or ""."""

    def __init__(self, place=""):
        self._place, self._next = place, None

    def warn(self, error):
        """Log the first error of an outage with a remedy, and later ones every ten seconds."""
        now = time.monotonic()
        if self._next is None:
            log.warning(
                "Redis is not available%s (%s); trying again%s", self._place, error, _remedy(error)
            )
        elif now >= self._next:
            log.warning("Redis is still not available%s; trying again", self._place)
        else:
            return
        self._next = now + LOG_PAUSE

    def end(self):
        """Let the next error be the first of another outage."""
        self._next = None


def _remedy(error):
    """Return what to do if no Redis answers at all; one that is full or busy needs no other."""
    if type(error) is not redis.ConnectionError:
        return ""
    return ". If none is running, start one with `jobs-kit redis`, or set REDIS_URL"


class ReliableQueue(HotQueue):
    """A HotQueue whose messages are delivered at least once.

    >>> q = ReliableQueue("queue", host="127.0.0.1", port=6379)
    >>> q.put("my message")
    >>> for message in q.consume():  # acknowledges when the loop comes back for more
    ...     print(message)

    name (str); lease: seconds without a heartbeat after which a worker counts as dead;
    serializer: anything with dumps and loads; redis_options: as for redis.Redis.
    A message may be delivered twice, so its handler must be idempotent. A message that was held by
    three workers when they died becomes a dead letter.
    """

    more_steps = ""  # the Lua that a subclass adds to queues.lua,
    more_keys = ()  # and the Redis keys that this Lua needs

    def __init__(self, name, lease=6.0, serializer=json, **redis_options):
        # The steps are idempotent, so this client may time out and send one again. A plain pop is
        # not: a second one would lose a message, so HotQueue's own get() never times out.
        retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), 3)
        self.lease = lease
        self.redis = redis.Redis(**{"socket_timeout": 5, "retry": retry} | redis_options)
        self.blocking_redis = _like(self.redis, socket_timeout=WAIT + 3)
        without_timeout = _like(self.redis, socket_timeout=None)
        super().__init__(name, serializer, connection_pool=without_timeout.connection_pool)
        steps = STEPS + self.more_steps + "return steps[ARGV[1]](unpack(ARGV, 3, 8))"
        self._script = self.redis.register_script(steps)

    def __len__(self):
        return self.redis.llen(self.key)

    def put(self, *messages):
        """Put messages on the queue, all or none, and once even if the reply is lost.

        Raises ValueError for no message or None, and TypeError for what JSON cannot express.
        """
        if not messages or any(message is None for message in messages):
            raise ValueError(f"put{messages}: give one or more messages; None is not one")
        if self.serializer is not None:
            messages = [self.serializer.dumps(message) for message in messages]
        self.step("put", secrets.token_hex(8), *messages)

    def get(self, block=False, timeout=None):
        """Pop one message AT MOST once, as HotQueue does: a consumer that dies now loses it.

        block, timeout (seconds): wait for a message. Returns the message, or None.
        """
        self.step("look")  # requeues the messages of dead workers
        return super().get(block, timeout)

    def consume(self, block=True, timeout=None):
        """Yield messages; each is acknowledged when the loop asks for the next one.

        Leaving the loop (break, an exception) requeues the current message.
        timeout: stop after so many seconds without a message. block=False: stop when empty.
        """
        consumer = Consumer(self)
        try:
            while claimed := consumer.next("done", block=block, timeout=timeout):
                yield claimed[0]
        finally:
            with suppress(redis.RedisError):  # without Redis, the end of the lease requeues it
                consumer.close()

    def dead_letters(self):
        """Return the dead letters, oldest first: [{"message": text, "reason": text}, ...]."""
        letters = self.redis.lrange(self.key + ":dead", 0, -1)
        return [json.loads(letter.decode(errors="surrogateescape")) for letter in letters]

    def step(self, name, *arguments):
        """Run one of the steps in queues.lua, in one round trip; return its result."""
        return self._script([self.key, *self.more_keys], [name, self.lease, *arguments])

    def wait(self, seconds, worker, *step):
        """Move a message to the worker's list as soon as there is one, then take a step.

        Both are one request: Redis takes the step even if the worker has died meanwhile, so each
        worker that holds a message is known. A lost reply loses nothing: the next claim finds it.
        """
        keys, arguments = [self.key, *self.more_keys], [step[0], self.lease, *step[1:]]
        with self.blocking_redis.pipeline(transaction=False) as pipeline:
            pipeline.blmove(self.key, f"{self.key}:held:{worker}", seconds)
            pipeline.evalsha(self._script.sha, len(keys), *keys, *arguments)
            replies = pipeline.execute(raise_on_error=False)
        for reply in replies:
            if isinstance(reply, exceptions.NoScriptError):  # Redis has started again
                return self.step(*step)
            if isinstance(reply, redis.RedisError):
                raise reply
        return replies[1]


class Consumer:
    """One worker at a ReliableQueue: it claims and acknowledges messages and sends heartbeats.

    name (str): shown in logs; the worker's id in Redis ends in random digits, so two workers with
    the same name never share a message. message: the claimed message, or None.
    """

    def __init__(self, queue, name=None):
        self.queue = queue
        self.id = f"{name or f'{socket.gethostname()}-{os.getpid()}'}-{secrets.token_hex(4)}"
        self.message = None
        self._latest_claim = self._message_claim = 0  # the numbers that acknowledge() compares
        self._waiting = self._interrupted = False
        self._owner, self._closed, self._heartbeat = None, threading.Event(), None

    def start(self):
        """Send the first heartbeat, if next() has not. Raises redis.RedisError."""
        self._owner = threading.current_thread()
        if self._heartbeat is None:
            self.queue.step("heartbeat", self.id)
            self._heartbeat = threading.Thread(target=self._send_heartbeats, daemon=True)
            self._heartbeat.start()

    def next(self, outcome="", value="", extra="", block=True, timeout=None):
        """Acknowledge the current message, if outcome is given, and claim the next, in one call.

        Waits only when the queue is empty. Returns (message, details …), or None when block is
        False or timeout seconds have passed. If Redis goes away or is full or busy, it waits until
        that is over; if Redis never took a step of this consumer, it raises redis.RedisError.
        """
        deadline = time.monotonic() + timeout if timeout else float("inf")
        acknowledged, outage = self._message_claim if outcome else "", Outage()
        wait = 0
        while True:
            try:
                if claimed := self._claim(wait, acknowledged, outcome, value, extra):
                    return claimed
                acknowledged = ""
                outage.end()
                left = deadline - time.monotonic()
                if not block or left <= 0 or self._interrupted:
                    return None
                wait = min(left, WAIT, self.queue.lease / 2)
            except UnreadableMessageError as fault:
                acknowledged, outcome, value = self._message_claim, "unreadable", str(fault)
                wait = 0
            except redis.RedisError as fault:
                if self._heartbeat is None or not is_temporary(fault):
                    raise
                if self._interrupted and not acknowledged:
                    return None
                outage.warn(fault)
                time.sleep(0.5)

    def close(self, outcome="", value="", extra=""):
        """Stop the heartbeats; acknowledge the current message if outcome is given, else requeue it."""
        self._closed.set()
        if self._heartbeat:
            acknowledged = self._message_claim if outcome else ""
            self.queue.step("close", self.id, "", acknowledged, outcome, value, extra)

    def interrupt(self):
        """Let next() return None, or raise SystemExit where it waits. For a signal handler."""
        self._interrupted = True
        if self._waiting:
            raise SystemExit

    def _claim(self, wait, *acknowledgement):
        """Take the step `next` once; return (message, details …), or None from an empty queue.

        wait: seconds to wait for a message first, if the queue is empty.
        """
        self.start()
        number = self._latest_claim = self._latest_claim + 1
        step = "next", self.id, number, *acknowledgement
        reply = self._wait(wait, *step) if wait else self.queue.step(*step)
        self.message = None
        if not reply:
            return None
        self._message_claim = number
        self.message = self._read(reply[0])
        return self.message, *reply[1:]

    def _read(self, text):
        try:
            message = self.queue.serializer.loads(text) if self.queue.serializer else text
        except Exception as fault:  # a serializer may raise anything
            raise UnreadableMessageError(f"it cannot be read: {fault}") from fault
        if message is None:
            raise UnreadableMessageError("null is not a message")
        return message

    def _wait(self, seconds, *step):
        self._waiting = True
        try:
            return None if self._interrupted else self.queue.wait(seconds, self.id, *step)
        finally:
            self._waiting = False

    def _send_heartbeats(self):
        while self._owner.is_alive() and not self._closed.wait(self.queue.lease / 3):
            with suppress(redis.RedisError):  # next() meets the same error and reports it
                self.queue.step("heartbeat", self.id)


def _like(client, **options):
    """Return a client of the same Redis with other options."""
    pool = client.connection_pool
    options = pool.connection_kwargs | options
    return redis.Redis(
        connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **options)
    )


class UnreadableMessageError(Exception):
    """A message that its serializer cannot load."""
