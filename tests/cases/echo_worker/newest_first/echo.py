import json
import os
import time

import redis
from hotqueue import HotQueue

rd = redis.Redis(host=os.environ["REDIS_HOST"], port=int(os.environ["REDIS_PORT"]), db=1)
q = HotQueue("echo", serializer=json, connection_pool=rd.connection_pool)


def echo(item):
    print(json.loads(item), flush=True)


while True:
    item = rd.rpop(q.key)
    if item is None:
        time.sleep(0.1)
    else:
        echo(item)
