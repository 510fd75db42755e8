import json
from hotqueue import HotQueue

q = HotQueue("echo", serializer=json, host="127.0.0.1", port=6379, db=1, socket_timeout=None)
items = []
for item in q.consume():
    items.append(item)
for item in items:
    print(item)
