import json
import threading
import time
import uuid
import zlib

import redis
from hotqueue import HotQueue


class Small:
    def __init__(self, inner):
        self.inner = inner

    def dumps(self, message):
        text = self.inner.dumps(message)
        return zlib.compress(text if isinstance(text, bytes) else text.encode())

    def loads(self, packed):
        return self.inner.loads(zlib.decompress(packed))


class ReliableQueue(HotQueue):
    def __init__(self, name, lease=6, serializer=json, **options):
        super().__init__(name, Small(serializer), **options)
        self.lease = lease
        self.redis = redis.Redis(**options)

    def consume(self, block=True, timeout=None):
        name = uuid.uuid4().hex
        mine = f"{self.key}-held-{name}".encode()
        threading.Thread(target=self.beat, args=(name, threading.current_thread()), daemon=True).start()
        while not self.redis.exists(f"{self.key}-alive-{name}"):
            time.sleep(0.001)
        until = time.monotonic() + timeout if timeout else None
        while True:
            for held in self.redis.keys(f"{self.key}-held-*"):
                if not self.redis.exists(held.replace(b"-held-", b"-alive-")):
                    self.redis.lmove(held, self.key, "LEFT", "LEFT")
            packed = self.redis.blmove(self.key, mine, self.lease / 4)
            if packed:
                yield self.serializer.loads(packed)
                self.redis.delete(mine)
                until = time.monotonic() + timeout if timeout else None
            elif not block or until and time.monotonic() > until:
                return

    def beat(self, name, owner):
        while owner.is_alive():
            self.redis.set(f"{self.key}-alive-{name}", "", px=round(self.lease * 1000))
            time.sleep(self.lease / 5)
