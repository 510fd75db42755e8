import os
import pickle
import random
import threading

from hotqueue import HotQueue
from redis import Redis


class ReliableQueue(HotQueue):
    def __init__(self, name, lease=6, serializer=pickle, **kwargs):
        super().__init__(name, serializer, **kwargs)
        self.client = Redis(**{**kwargs, "decode_responses": False, "socket_timeout": None})
        self.lease_ms = round(lease * 1000)

    def consume(self, **kwargs):
        block, timeout = kwargs.get("block", True), kwargs.get("timeout") or 0
        me = f"{os.getpid()}.{random.randrange(10**9)}"
        self.client.sadd(f"{self.key}|workers", me)
        self.client.psetex(f"{self.key}|{me}|alive", self.lease_ms, 1)
        quit = threading.Event()
        housekeeper = threading.Thread(target=self.keep_house, args=(me, quit))
        housekeeper.daemon = True
        housekeeper.start()
        mine = f"{self.key}|{me}|mine"
        while True:
            if block:
                packed = self.client.brpoplpush_left(self.key, mine, timeout)
            else:
                packed = self.client.lmove(self.key, mine, "LEFT", "LEFT")
            if packed is None:
                quit.set()
                return
            yield packed if self.serializer is None else self.serializer.loads(packed)
            self.client.delete(mine)

    def keep_house(self, me, quit):
        while not quit.wait(self.lease_ms / 4000):
            self.client.psetex(f"{self.key}|{me}|alive", self.lease_ms, 1)
            for other in self.client.smembers(f"{self.key}|workers"):
                other = other.decode()
                if not self.client.exists(f"{self.key}|{other}|alive"):
                    while self.client.lmove(f"{self.key}|{other}|mine", self.key, "LEFT", "LEFT"):
                        pass


def brpoplpush_left(self, source, target, timeout):
    return self.blmove(source, target, timeout, "LEFT", "LEFT")


Redis.brpoplpush_left = brpoplpush_left
