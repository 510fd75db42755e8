import pickle
import socket

import redis
from hotqueue import HotQueue


class ReliableQueue(HotQueue):
    def __init__(self, name, lease=6.0, serializer=pickle, **redis_options):
        super().__init__(name, serializer, **redis_options)
        self.redis = redis.Redis(**redis_options)
        self.lease = lease

    def consume(self, block=True, timeout=None):
        held = f"{self.key}:held:{socket.gethostname()}"
        while self.redis.lmove(held, self.key, "RIGHT", "LEFT"):
            pass
        while True:
            text = self.redis.blmove(self.key, held, timeout or 0)
            if text is None:
                return
            yield self.serializer.loads(text)
            self.redis.lrem(held, 1, text)
