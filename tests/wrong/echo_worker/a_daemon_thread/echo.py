import json
import os
import threading

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
def echo(item):
    print(item)


threading.Thread(target=echo, daemon=True).start()
