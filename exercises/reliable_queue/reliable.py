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
        ...

    def _claim(self, worker, block, timeout):
        """Move the oldest message to the list of the worker, in one step; return its text, or None.

        While it waits, it puts back what dead workers held.
        """
        ...

    def _acknowledge(self, worker, text):
        """Remove a message that the worker has done from its list."""
        ...

    def _show_life(self, worker):
        """Show, for one lease, that this worker lives."""
        ...

    def _keep_alive(self, worker, left):
        """Show life again and again until the worker has left its loop. Runs in a thread."""
        ...

    def _recover(self):
        """Put the messages that dead workers held back at the front of the queue."""
        ...
