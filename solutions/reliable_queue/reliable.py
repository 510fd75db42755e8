"""A HotQueue that loses nothing when a worker is killed. In Redis:

hotqueue:letters               the messages that wait, oldest first
hotqueue:letters:held:3f9a     the messages that the worker 3f9a works on
hotqueue:letters:alive:3f9a    exists as long as this worker shows signs of life
"""

import pickle
import threading
import time
import uuid
from contextlib import suppress

import redis
from hotqueue import HotQueue


class ReliableQueue(HotQueue):
    """A HotQueue whose messages are delivered at least once.

    lease: seconds without a sign of life after which a worker counts as dead.
    name, serializer, redis_options: as for HotQueue.
    """

    def __init__(self, name, lease=6.0, serializer=pickle, **redis_options):
        redis_options.setdefault("socket_timeout", None)
        self.redis = redis.Redis(**redis_options)  # HotQueue hides its own client
        super().__init__(name, serializer, connection_pool=self.redis.connection_pool)
        self.lease = lease

    def consume(self, block=True, timeout=None):
        """Yield message after message. Asking for the next one acknowledges the one before.

        timeout: end after so many seconds without a message. block=False: end if there is none.
        """
        ### BEGIN SOLUTION
        worker, left = uuid.uuid4().hex, threading.Event()
        self._show_life(worker)  # before it holds anything
        threading.Thread(target=self._keep_alive, args=(worker, left), daemon=True).start()
        try:
            while (text := self._claim(worker, block, timeout)) is not None:
                yield self.serializer.loads(text) if self.serializer else text
                self._acknowledge(worker, text)
        finally:
            left.set()
            self.redis.delete(f"{self.key}:alive:{worker}")
        ### END SOLUTION

    def _claim(self, worker, block, timeout):
        """Move the oldest message to the list of the worker, in one step; return its text, or None.

        While it waits, it puts back what dead workers held.
        """
        ### BEGIN SOLUTION
        held = f"{self.key}:held:{worker}"
        end = time.monotonic() + (timeout or float("inf") if block else 0)
        while True:
            self._recover()
            wait = max(0.01, min(end - time.monotonic(), self.lease / 2))  # 0 would be forever
            # It may hold one already: the answer to its last claim can have been lost.
            text = self.redis.lindex(held, 0) or self.redis.blmove(self.key, held, wait)
            if text is not None or time.monotonic() >= end:
                return text
        ### END SOLUTION

    def _acknowledge(self, worker, text):
        """Remove a message that the worker has done from its list."""
        ### BEGIN SOLUTION
        self.redis.lrem(f"{self.key}:held:{worker}", 1, text)
        ### END SOLUTION

    def _show_life(self, worker):
        """Show, for one lease, that this worker lives."""
        ### BEGIN SOLUTION
        self.redis.set(f"{self.key}:alive:{worker}", "yes", px=int(self.lease * 1000))
        ### END SOLUTION

    def _keep_alive(self, worker, left):
        """Show life again and again until the worker has left its loop. Runs in a thread."""
        ### BEGIN SOLUTION
        while not left.wait(self.lease / 3):
            with suppress(redis.RedisError):  # the loop meets the same error, and raises it
                self._show_life(worker)
        ### END SOLUTION

    def _recover(self):
        """Put the messages that dead workers held back at the front of the queue."""
        ### BEGIN SOLUTION
        for held in self.redis.scan_iter(f"{self.key}:held:*"):
            worker = held.decode().rpartition(":")[2]
            if not self.redis.exists(f"{self.key}:alive:{worker}"):
                while self.redis.lmove(held, self.key, "RIGHT", "LEFT"):
                    pass
        ### END SOLUTION
