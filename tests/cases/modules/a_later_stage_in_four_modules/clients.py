import json
import os

import redis
from hotqueue import HotQueue

where = {"host": os.environ["REDIS_HOST"], "port": int(os.environ["REDIS_PORT"])}
q = HotQueue("queue", serializer=json, db=1, socket_timeout=None, **where)
rd = redis.Redis(db=0, **where)
