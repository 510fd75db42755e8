"""Run a worker to be watched: it holds each message for a while, and one message is its end.

python worker.py URL DB QUEUE SECONDS FAILURE NAME

A URL with a password is the one in REDIS_URL; who needs one may not be allowed to have a NAME.
"""

import json
import sys
import time

import redis
from hotqueue import HotQueue

from jobs_kit import settings


def main(url, db, queue, seconds, failure, name):
    """Handle each message by sleeping. Raises RuntimeError at the message failure."""
    mine = settings.redis_url()
    address = redis.connection.parse_url(mine if url == settings.without_password(mine) else url)
    address |= {"db": int(db), "client_name": None if address.get("password") else name}
    pool = redis.ConnectionPool(**address, socket_timeout=None)
    q = HotQueue(queue, serializer=json, connection_pool=pool)

    @q.worker
    def work(message):
        print("takes", json.dumps(message))
        time.sleep(float(seconds))
        if message == failure:
            raise RuntimeError(f"cannot do {message!r}")
        print("done with", json.dumps(message))

    print("waits for messages")
    work()


if __name__ == "__main__":
    main(*sys.argv[1:])
