"""Run beside another program, keep the Redis that this program uses, and end with it.

The program may replace itself (exec), start children, close its files or be killed: the companion
belongs to no session, pipe or parent of the program, it only watches its process number.
"""

import json
import os
import subprocess
import sys
import time

import psutil

from jobs_kit.redis_server.address import RedisNotFoundError
from jobs_kit.redis_server.find import find_redis

SECONDS = 0.2  # between two looks at the program


def start_companion():
    """Find or start a Redis that ends with this process, whatever program it becomes.

    Returns the environment of that program, a dict. Raises RedisNotFoundError as find_redis() does.
    """
    command = [sys.executable, "-P", "-m", "jobs_kit.redis_server.companion", str(os.getpid())]
    run = subprocess.run(command, stdout=subprocess.PIPE, start_new_session=True, check=True)
    answer = json.loads(run.stdout)
    if "problem" in answer:
        raise RedisNotFoundError(answer["problem"])
    return answer["environment"]


def accompany(owner):
    """Print the environment of the owner (a process number), as JSON, and stay until it has ended.

    A fork does it, so that the owner has no child that it doesn't know.
    """
    process = psutil.Process(owner)
    if os.fork():
        os._exit(0)
    try:
        server = find_redis()
    except (RedisNotFoundError, OSError, ValueError) as problem:
        print(json.dumps({"problem": str(problem)}))
        return
    print(json.dumps({"environment": dict(os.environ)}), flush=True)
    _close_streams()
    while _is_alive(process):
        time.sleep(SECONDS)
    server.stop()


def _close_streams():
    """Leave the terminal and the pipes, whose readers wait until all writers have closed them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)


def _is_alive(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    accompany(int(sys.argv[1]))
