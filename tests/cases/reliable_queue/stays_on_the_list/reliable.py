import json
import threading
import time
import uuid

import redis
from hotqueue import HotQueue


class ReliableQueue(HotQueue):
    def __init__(self, name, lease=6.0, serializer=json, **redis_options):
        super().__init__(name, serializer, **redis_options)
        self.lease = int(lease * 1000)
        self.rd = redis.Redis(**redis_options)

    def put(self, *messages):
        packed = [json.dumps([str(uuid.uuid4()), m]) for m in messages]
        self.rd.rpush(self.key, *packed)

    def lock(self, number):
        return f"lock:{self.name}:{number}"

    def claim(self):
        for packed in self.rd.lrange(self.key, 0, -1):
            number, message = json.loads(packed)
            if self.rd.set(self.lock(number), "held", nx=True, px=self.lease):
                if self.rd.lpos(self.key, packed) is not None:
                    return packed, number, message
                self.rd.delete(self.lock(number))  # another worker has just done it
        return None

    def consume(self, block=True, timeout=None):
        quiet = time.monotonic()
        while True:
            found = self.claim()
            if not found:
                if not block or (timeout and time.monotonic() - quiet > timeout):
                    return
                time.sleep(0.03)
                continue
            packed, number, message = found
            done = threading.Event()

            def prolong():
                while not done.wait(self.lease / 3000):
                    self.rd.pexpire(self.lock(number), self.lease)

            threading.Thread(target=prolong, daemon=True).start()
            yield message
            done.set()
            self.rd.lrem(self.key, 1, packed)
            self.rd.delete(self.lock(number))
            quiet = time.monotonic()
