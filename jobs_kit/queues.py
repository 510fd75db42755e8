"""The HotQueue that loses nothing when a worker dies.

HotQueue takes a message off the list and then works on it: a worker that is killed in between
takes the message with it (at most once). Here a message moves, in one step of Redis, to a list of
the worker that claims it, and leaves that list when the worker acknowledges it (at least once):
the reliable queue of https://redis.io/docs/latest/commands/lmove/. A heartbeat prolongs a worker's
lease; when it has run out, whoever looks next puts back what the worker held (see queues.lua).
"""

import json
import logging
import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import redis
from hotqueue import HotQueue
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

STEPS = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")
WAIT = 2.0  # seconds that Redis may keep a waiting worker before it asks again
DOWN = (redis.ConnectionError, redis.TimeoutError)


class ReliableQueue(HotQueue):
    """A HotQueue whose messages are delivered at least once.

    >>> q = ReliableQueue("queue", host="127.0.0.1", port=6379)
    >>> q.put("my message")
    >>> for message in q.consume():  # acknowledges when the loop comes back for more
    ...     print(message)

    name (str); lease: seconds without a sign of life after which a worker counts as dead;
    serializer: anything with dumps and loads; redis_options: as for redis.Redis.
    A message may be delivered twice: make what you do with it idempotent. One that three workers
    died of becomes a dead letter.
    """

    more_steps = ""  # Lua that a subclass adds to queues.lua
    more_keys = ()  # and the keys that it needs

    def __init__(self, name, lease=6.0, serializer=json, **redis_options):
        # These steps may be sent twice, so that waiting for an answer can have an end. A plain pop
        # may not: HotQueue's own get() waits without one.
        retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), 3)
        self.lease = lease
        self.redis = redis.Redis(**{"socket_timeout": WAIT + 3, "retry": retry} | redis_options)
        patient = redis.Redis(**redis_options | {"socket_timeout": None})
        super().__init__(name, serializer, connection_pool=patient.connection_pool)
        steps = STEPS + self.more_steps + "return steps[ARGV[1]](unpack(ARGV, 3, 8))"
        self._script = self.redis.register_script(steps)

    def __len__(self):
        return self.step("length")

    def put(self, *messages):
        """Put messages on the queue, all or none; if the answer is lost, still once.

        Raises ValueError for no message or None, and TypeError for what JSON cannot express.
        """
        if not messages or any(message is None for message in messages):
            raise ValueError(f"put{messages}: give one or more messages; None is not one")
        if self.serializer is not None:
            messages = [self.serializer.dumps(message) for message in messages]
        self.step("put", secrets.token_hex(8), *messages)

    def get(self, block=False, timeout=None):
        """Pop one message, as HotQueue does: AT MOST once. If you die now, it is lost.

        block, timeout (seconds): wait for one. Returns the message, or None.
        """
        self.step("length")  # which brings back what dead workers hold
        return super().get(block, timeout)

    def consume(self, block=True, timeout=None):
        """Yield messages; one is acknowledged when you come back for the next.

        Leaving the loop (break, an exception) puts the message in hand back on the queue.
        timeout: stop after so many seconds without a message. block=False: stop when empty.
        """
        consumer = Consumer(self)
        try:
            while claimed := consumer.next("done", block=block, timeout=timeout):
                yield claimed[0]
        finally:
            with suppress(redis.RedisError):  # if Redis is away, the lease brings the message back
                consumer.close()

    def dead_letters(self):
        """Return the dead letters, oldest first: [{"message": text, "reason": text}, ...]."""
        letters = self.redis.lrange(self.key + ":dead", 0, -1)
        return [json.loads(letter.decode(errors="surrogateescape")) for letter in letters]

    def step(self, name, *arguments):
        """Take one of the steps in queues.lua, in one round trip; return what it returns."""
        return self._script([self.key, *self.more_keys], [name, self.lease, *arguments])


class Consumer:
    """One worker at a ReliableQueue: its name, the message in its hand, the heart that beats.

    name (str): shown to people; the id that Redis knows has a random end, so that two workers
    of one name never share a message. message: what it has in hand, or None.
    """

    def __init__(self, queue, name=None):
        self.queue = queue
        self.id = f"{name or f'{socket.gethostname()}-{os.getpid()}'}-{secrets.token_hex(4)}"
        self.message = None
        self._number = self._in_hand = 0  # of the latest claim; of the claim that got the message
        self._waiting = self._interrupted = False
        self._owner, self._closed, self._heart = None, threading.Event(), None

    def next(self, outcome="", value="", extra="", block=True, timeout=None):
        """Acknowledge the message in hand, if an outcome is given, and claim the next: one call.

        Waits only when the queue is empty. Returns (message, details), or None when block is
        False or timeout seconds have passed. A Redis that goes away is waited for; one that never
        answered raises redis.ConnectionError.
        """
        deadline = time.monotonic() + timeout if timeout else float("inf")
        done = self._in_hand if outcome else ""
        while True:
            try:
                self._live()
                number = self._number = self._number + 1
                reply = self.queue.step("next", self.id, number, done, outcome, value, extra)
                done, self.message = "", None
                if reply:
                    self._in_hand = number
                    self.message = self._read(reply[0])
                    return self.message, reply[1]
                left = deadline - time.monotonic()
                if not block or left <= 0 or self._interrupted:
                    return None
                self._wait(min(left, WAIT, self.queue.lease / 2))
            except UnreadableMessageError as fault:
                done, outcome, value = self._in_hand, "unreadable", str(fault)
            except DOWN as fault:
                if self._heart is None:
                    raise
                if self._interrupted and not done:
                    return None
                log.warning("Redis does not answer (%s); trying again", fault)
                time.sleep(0.5)

    def close(self, outcome="", value="", extra=""):
        """End: acknowledge the message in hand if an outcome is given, put it back if not."""
        self._closed.set()
        if self._heart:
            done = self._in_hand if outcome else ""
            self.queue.step("close", self.id, "", done, outcome, value, extra)

    def interrupt(self):
        """For a signal handler: let next() return None, or raise SystemExit, instead of waiting."""
        self._interrupted = True
        if self._waiting:
            raise SystemExit

    def _read(self, text):
        try:
            message = self.queue.serializer.loads(text) if self.queue.serializer else text
        except Exception as fault:  # a serializer may raise anything
            raise UnreadableMessageError(f"it cannot be read: {fault}") from fault
        if message is None:
            raise UnreadableMessageError("null is not a message")
        return message

    def _wait(self, seconds):
        self._waiting = True
        try:
            if not self._interrupted:
                # What arrives is in our list on the server: the answer itself is not needed.
                held = f"{self.queue.key}:held:{self.id}"
                self.queue.redis.blmove(self.queue.key, held, seconds)
        finally:
            self._waiting = False

    def _live(self):
        self._owner = threading.current_thread()
        if self._heart is None:
            self.queue.step("beat", self.id)
            self._heart = threading.Thread(target=self._beat, daemon=True)
            self._heart.start()

    def _beat(self):
        while self._owner.is_alive() and not self._closed.wait(self.queue.lease / 3):
            with suppress(redis.RedisError):  # next() meets the same fault, and tells
                self.queue.step("beat", self.id)


class UnreadableMessageError(Exception):
    """A message that its serializer cannot load."""
