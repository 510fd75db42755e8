"""Hold the programs that a WorkerScenario starts beside the answer.

They note what they do in lists of database 0 that begin with check: and use the queue parcels in
database 1, not the one of the exercise's page.
"""

BEGINNING = '''"""A program of the check: {}."""

import json
import os
import time

import redis

from reliable import ReliableQueue

address = {{"host": os.environ["REDIS_HOST"], "port": int(os.environ["REDIS_PORT"])}}
address["socket_timeout"] = None
lease = float(os.environ["LEASE"])
q = ReliableQueue("parcels", lease=lease, serializer=json, db=1, **address)
notes = redis.Redis(client_name="check", **address)
'''
PROGRAMS = {
    "check_producer.py": BEGINNING.format("it puts messages")
    + """
q.put(*os.environ["MESSAGES"].split())
notes.rpush("check:length", len(q))
""",
    "check_counter.py": BEGINNING.format("it waits until the queue is empty")
    + """
while len(q) > 0:
    time.sleep(0.01)
notes.rpush("check:length", len(q))
""",
    "check_worker.py": BEGINNING.format(
        "a worker that can be told to stop in the middle of each job"
    )
    + """
me = os.environ["WORKER"]


def work(message):
    notes.rpush("check:begun", f"{me} {message}")
    order = notes.blpop(f"check:go:{me}")[1] if os.environ["HOLDS"] else b"go"
    if order == b"raise":
        raise ValueError(f"{me} cannot do {message}")
    notes.rpush("check:done", f"{me} {message}")


for message in q.consume():
    work(message)
""",
    "check_idler.py": BEGINNING.format(
        "it ends when it has nothing to do, and takes long for the first"
    )
    + """

@q.worker(timeout=1)
def work(message):
    if message == "first":
        notes.blpop("check:go:ana", 1.2)  # a sleep would be cut short
    notes.rpush("check:done", f"ana {message}")


work()
notes.rpush("check:returned", "yes")
""",
}
