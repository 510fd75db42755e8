import json
import multiprocessing
import os
import time
import uuid

import redis
from hotqueue import HotQueue


def heart(options, key, lease, parent):
    client = redis.Redis(**options)
    while os.getppid() == parent:
        client.set(key, "1", px=int(lease * 1000))
        time.sleep(lease / 5)


class ReliableQueue(HotQueue):
    def __init__(self, name, lease=6, serializer=json, **options):
        super().__init__(name, serializer, **options)
        self.lease, self.options = lease, options
        self.client = redis.Redis(**options)

    def consume(self, block=True, timeout=None):
        worker = str(uuid.uuid4())
        held = f"{self.key}:held:{worker}"
        alive = f"{self.key}:alive:{worker}"
        self.client.set(alive, "1", px=int(self.lease * 2000))
        context = multiprocessing.get_context("fork")
        arguments = (self.options, alive, self.lease, os.getpid())
        context.Process(target=heart, args=arguments, daemon=True).start()
        end = None
        while True:
            self.recover()
            text = self.client.blmove(self.key, held, 0.1)
            if text is None:
                end = end or time.time() + (timeout or 10**9)
                if not block or time.time() > end:
                    return
                continue
            end = None
            yield self.serializer.loads(text)
            self.client.lrem(held, 1, text)

    def recover(self):
        for held in self.client.scan_iter(f"{self.key}:held:*"):
            if not self.client.exists(held.decode().replace(":held:", ":alive:")):
                while self.client.lmove(held, self.key, "RIGHT", "LEFT"):
                    pass
