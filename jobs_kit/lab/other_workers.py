"""Who else waits at the queue of the Jobs service? A worker of another page takes this page's jobs.

A lesson that is closed goes on in its kernel, and so do the workers that it has started.
"""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs_kit import settings
from jobs_kit.lab.programs import started_programs
from jobs_kit.redis_server.clients import may_wait_at, ports_of

DB, KEY = 1, "hotqueue:queue"  # as the services of the lessons have it
WARNING = (
    "Stop the other worker first: one that this page has not started waits at the queue, and "
    "would take its jobs. It runs in a terminal or on another page; a page that was only closed "
    "still works: shut its kernel down under Running Terminals and Kernels, on the left."
)


def warn_of_other_workers():
    """Return WARNING where somebody else's worker waits, else "" (also where Redis won't tell)."""
    host, port = settings.service_address()
    client = redis.Redis(host=host, port=port, db=DB, socket_timeout=2, retry=Retry(NoBackoff(), 0))
    try:
        waiting = [one for one in client.client_list() if may_wait_at(one, DB, KEY)]
    except (redis.RedisError, KeyError):
        return ""
    finally:
        client.close()
    ours = _our_ports() if waiting else set()
    return WARNING if any(_port(one) not in ours for one in waiting) else ""


def _port(client):
    return int(client["addr"].rsplit(":", 1)[1])


def _our_ports():
    """Return the ports from which the programs of this page are connected."""
    return set().union(*(ports_of(one.process_id) for one in started_programs().values()))
