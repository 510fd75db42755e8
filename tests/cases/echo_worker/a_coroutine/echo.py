import json
import os

from hotqueue import HotQueue

q = HotQueue(
    "echo",
    serializer=json,
    host=os.environ["REDIS_HOST"],
    port=int(os.environ["REDIS_PORT"]),
    db=1,
    socket_timeout=None,
)


@q.worker
async def echo(item):
    print(item)


echo()
