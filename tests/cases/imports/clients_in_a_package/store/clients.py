import json

import redis
from hotqueue import HotQueue

from store.address import HOST, PORT

q = HotQueue("queue", host=HOST, port=PORT, db=1, serializer=json, socket_timeout=None)
rd = redis.Redis(host=HOST, port=PORT, db=0)
