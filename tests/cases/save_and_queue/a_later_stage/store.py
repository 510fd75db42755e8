"""The two ways to Redis, made once for everybody."""

import json
import os

import redis
from hotqueue import HotQueue

place = {"host": os.environ["REDIS_HOST"], "port": os.environ["REDIS_PORT"]}
q = HotQueue("queue", serializer=json, db=1, socket_timeout=None, **place)
rd = redis.Redis(db=0, **place)
