"""The queue and the client, at the address that the environment names."""

import json
import os

import redis
from hotqueue import HotQueue

address = {"host": os.environ.get("REDIS_HOST", "localhost"), "port": os.environ.get("REDIS_PORT", 6379)}
q = HotQueue("queue", serializer=json, db=1, socket_timeout=None, **address)
rd = redis.Redis(db=0, **address)
