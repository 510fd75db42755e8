"""Messages in flight are in a sorted set; their score is the time at which they return."""
import pickle, threading, time

from hotqueue import HotQueue
from redis import Redis

CLAIM = """
local now = tonumber(redis.call('TIME')[1]) + tonumber(redis.call('TIME')[2]) / 1000000
for _, late in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
    redis.call('ZREM', KEYS[2], late)
    redis.call('LPUSH', KEYS[1], late)
end
local message = redis.call('LPOP', KEYS[1])
if message then redis.call('ZADD', KEYS[2], now + ARGV[1], message) end
return message
"""
RENEW = """
local now = tonumber(redis.call('TIME')[1]) + tonumber(redis.call('TIME')[2]) / 1000000
return redis.call('ZADD', KEYS[1], 'XX', now + ARGV[1], ARGV[2])
"""


class ReliableQueue(HotQueue):
    def __init__(self, *args, lease=30, **kwargs):
        HotQueue.__init__(self, *args, **kwargs)
        self.lease = lease
        self.flight = self.key + ":flight"
        kwargs.pop("serializer", None)
        self.r = Redis(**kwargs)
        self.claim, self.renew = self.r.register_script(CLAIM), self.r.register_script(RENEW)
        self.now = None
        self.heart = None

    def get(self, block=False, timeout=None):
        end = time.monotonic() + timeout if timeout else None
        while True:
            raw = self.claim([self.key, self.flight], [self.lease])
            if raw is not None:
                self.now = raw
                self.start_heart()
                return self.serializer.loads(raw) if self.serializer else raw
            if not block or end and time.monotonic() > end:
                return None
            time.sleep(0.05)

    def consume(self, **kwargs):
        for message in HotQueue.consume(self, **kwargs):
            yield message
            done, self.now = self.now, None
            self.r.zrem(self.flight, done)

    def start_heart(self):
        if self.heart is None:
            self.heart = threading.Thread(target=self.beat)
            self.heart.daemon = True
            self.heart.start()

    def beat(self):
        owner = threading.main_thread()
        while owner.is_alive():
            raw = self.now
            if raw is not None:
                self.renew([self.flight], [self.lease, raw])
            time.sleep(self.lease / 5)
