"""The two clients."""

import json
import os

from hotqueue import HotQueue
from redis import Redis

_where = {"host": os.getenv("REDIS_HOST", "localhost"), "port": int(os.getenv("REDIS_PORT", 6379))}
q = HotQueue("queue", serializer=json, socket_timeout=None, db=1, **_where)
rd = Redis(db=0, decode_responses=True, **_where)
