import json
import threading
import time
import uuid

import redis
from hotqueue import HotQueue

GROUP = "workers"


class ReliableQueue(HotQueue):
    def __init__(self, name, lease=5, serializer=json, **options):
        super().__init__(name, serializer=serializer, **options)
        self.lease = lease
        self.rd = redis.Redis(**options)
        try:
            self.rd.xgroup_create(self.key, GROUP, id="0", mkstream=True)
        except redis.ResponseError:
            pass  # it is there already

    def __len__(self):
        return self.rd.xlen(self.key) - self.rd.xpending(self.key, GROUP)["pending"]

    def put(self, *messages):
        for message in messages:
            self.rd.xadd(self.key, {"message": self.serializer.dumps(message)})

    def consume(self, block=True, timeout=None):
        me = str(uuid.uuid4())
        stop = threading.Event()
        in_hand = []

        def renew():
            while not stop.wait(self.lease / 4):
                for number in list(in_hand):
                    self.rd.xclaim(self.key, GROUP, me, 0, [number], justid=True)

        threading.Thread(target=renew, daemon=True).start()
        since = time.time()
        try:
            while True:
                entry = self.next_entry(me)
                if entry is None:
                    if not block or (timeout and time.time() - since > timeout):
                        return
                    continue
                number, fields = entry
                in_hand.append(number)
                yield self.serializer.loads(fields[b"message"])
                in_hand.clear()
                self.rd.xack(self.key, GROUP, number)
                self.rd.xdel(self.key, number)
                since = time.time()
        finally:
            stop.set()

    def next_entry(self, me):
        old = self.rd.xautoclaim(self.key, GROUP, me, int(self.lease * 1000), "0", count=1)[1]
        if old:
            return old[0]
        new = self.rd.xreadgroup(GROUP, me, {self.key: ">"}, count=1, block=200)
        if not new:
            return None
        if isinstance(new, dict):
            return list(new.values())[0][0][0]
        return new[0][1][0]
