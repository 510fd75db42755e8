import json
import time
from uuid import uuid4

import redis
from hotqueue import HotQueue


class ReliableQueue(HotQueue):
    def __init__(self, name, lease=6, serializer=json, **options):
        super().__init__(name, serializer=serializer, **options)
        self.lease = lease
        self.options = options

    def consume(self, block=True, timeout=None):
        me = f"worker-{uuid4()}"
        r = redis.Redis(**{**self.options, "client_name": me, "socket_timeout": None})
        held = f"{self.key}:{me}"
        idle = time.monotonic()
        while True:
            self.recover(r)
            raw = r.blmove(self.key, held, 0.25)
            if raw is not None:
                yield self.serializer.loads(raw)
                r.lpop(held)
                idle = time.monotonic()
            elif not block or timeout and time.monotonic() - idle > timeout:
                return

    def recover(self, r):
        living = {client["name"] for client in r.client_list()}
        for held in r.scan_iter(f"{self.key}:worker-*"):
            owner = held.decode()[len(self.key) + 1:]
            if owner not in living:
                # it may only just have died, or be on its way back: give it its lease
                if r.set(f"{self.key}:missed:{owner}", 1, nx=True, px=int(self.lease * 2000)):
                    continue
                if r.pttl(f"{self.key}:missed:{owner}") < self.lease * 1000:
                    r.lmove(held, self.key, "RIGHT", "LEFT")
