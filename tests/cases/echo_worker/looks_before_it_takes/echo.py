import os
import time
from hotqueue import HotQueue

q = HotQueue("echo", None, host=os.environ["REDIS_HOST"], db=1)


def echo(item):
    print(item.decode())


while True:
    if len(q) > 0:
        echo(q.get())
    else:
        time.sleep(0.05)
