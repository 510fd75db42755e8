import json
import threading
import time
import uuid

import redis
from hotqueue import HotQueue


class ReliableQueue(HotQueue):
    def __init__(self, name, lease=6, serializer=json, **options):
        super().__init__(name, serializer=serializer, **options)
        self.lease = lease
        self.redis = redis.Redis(**options)
        self.flight, self.leases = f"{self.key}:flight", f"{self.key}:leases"

    def put(self, *messages):
        for message in messages:
            envelope = uuid.uuid4().hex.encode() + self.serializer.dumps(message).encode()
            self.redis.rpush(self.key, envelope)

    def consume(self, block=True, timeout=None):
        since = time.monotonic()
        while True:
            self.expire()
            envelope = self.redis.blmove(self.key, self.flight, min(self.lease / 3, timeout or 60)) \
                if block else self.redis.lmove(self.key, self.flight)
            if envelope is None:
                if not block or timeout and time.monotonic() - since >= timeout:
                    return
                continue
            self.redis.zadd(self.leases, {envelope: time.time() + self.lease})
            busy = threading.Event()
            threading.Thread(target=self.renew, args=(envelope, busy), daemon=True).start()
            yield self.serializer.loads(envelope[32:])
            busy.set()
            with self.redis.pipeline(transaction=True) as both:
                both.lrem(self.flight, 1, envelope)
                both.zrem(self.leases, envelope)
                both.execute()
            since = time.monotonic()

    def renew(self, envelope, busy):
        while not busy.wait(self.lease / 3):
            self.redis.zadd(self.leases, {envelope: time.time() + self.lease}, xx=True)

    def expire(self):
        for envelope in self.redis.lrange(self.flight, 0, -1):
            self.redis.zadd(self.leases, {envelope: time.time() + self.lease}, nx=True)
        for envelope in self.redis.zrangebyscore(self.leases, "-inf", time.time()):
            if not self.redis.zrem(self.leases, envelope):
                continue  # another one was faster
            with self.redis.pipeline() as both:
                both.lrem(self.flight, 1, envelope)
                both.lpush(self.key, envelope)
                both.execute()
