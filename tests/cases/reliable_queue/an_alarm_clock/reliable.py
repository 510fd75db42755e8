import pickle
import signal
import time
import uuid

from hotqueue import HotQueue
from redis import Redis


class ReliableQueue(HotQueue):
    def __init__(self, name, lease=5, serializer=pickle, **options):
        super().__init__(name, serializer, **options)
        self.lease = lease
        self.work = Redis(**options)
        self.heart = Redis(**options)

    def consume(self, block=True, timeout=None):
        me = uuid.uuid1().hex
        held = f"{self.key}:{me}"
        self.show(me)
        signal.signal(signal.SIGALRM, lambda *_: self.show(me))
        signal.setitimer(signal.ITIMER_REAL, self.lease / 3, self.lease / 3)
        idle = time.time()
        try:
            while True:
                self.look_after_the_dead()
                text = self.work.blmove(self.key, held, 0.2, "LEFT", "RIGHT")
                if text:
                    yield self.serializer.loads(text)
                    self.work.lpop(held)
                    idle = time.time()
                elif not block or timeout and time.time() - idle >= timeout:
                    break
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def show(self, me):
        self.heart.zadd(f"{self.key}:alive", {me: time.time()})

    def look_after_the_dead(self):
        for me in self.work.zrangebyscore(f"{self.key}:alive", 0, time.time() - self.lease):
            held = f"{self.key}:{me.decode()}"
            while self.work.lmove(held, self.key, "RIGHT", "LEFT"):
                pass
            self.work.zrem(f"{self.key}:alive", me)
