import json
import os

import redis

q = redis.Redis(host=os.environ["REDIS_HOST"], port=int(os.environ["REDIS_PORT"]), db=1, socket_timeout=None)


def echo(item):
    print(item)


while True:
    _, text = q.blpop("hotqueue:echo")
    echo(json.loads(text))
