"""Print each message of the queue `echo`: a program that does not end."""

### BEGIN SOLUTION
import json
import os

from hotqueue import HotQueue

host = os.environ.get("REDIS_HOST", "127.0.0.1")
port = int(os.environ.get("REDIS_PORT", "6379"))
q = HotQueue("echo", serializer=json, host=host, port=port, db=1, socket_timeout=None)


@q.worker
def echo(item):
    """Print one message."""
    print(item, flush=True)


if __name__ == "__main__":
    echo()
### END SOLUTION
