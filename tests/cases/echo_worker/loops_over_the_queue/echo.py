import json
import os

from hotqueue import HotQueue

q = HotQueue("echo", json, host=os.environ["REDIS_HOST"], port=int(os.environ["REDIS_PORT"]), db=1)


def echo(item):
    print(item)


for item in q:
    echo(item)
