import json, os
from hotqueue import HotQueue
q = HotQueue("echo", json, host=os.environ["REDIS_HOST"], port=os.environ["REDIS_PORT"], db=1)
any(map(print, q.consume()))
