"""A warning about workers of other pages, which would take the jobs of this page.

Closing a lesson leaves its kernel running, and with it the workers that it started.
"""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs_kit import settings
from jobs_kit.lab.programs import started_programs
from jobs_kit.redis_server.clients import may_wait_at, ports_of

DB, KEY = 1, "hotqueue:queue"  # the queue of the services in the lessons
WARNING = (
    "Stop the other worker first: one that this page has not started waits at the queue, and "
    "would take its jobs. It runs in a terminal or on another page; a page that was only closed "
    "still works: shut its kernel down under Running Terminals and Kernels, on the left."
)


def warn_of_other_workers():
    """Return WARNING if another page's worker waits, else "" (also if Redis lists no clients)."""
    host, port = settings.service_address()
    client = redis.Redis(host=host, port=port, db=DB, socket_timeout=2, retry=Retry(NoBackoff(), 0))
    try:
        waiting = [other for other in client.client_list() if may_wait_at(other, DB, KEY)]
    except (redis.RedisError, KeyError):
        return ""
    finally:
        client.close()
    own_ports = _own_ports() if waiting else set()
    return WARNING if any(_port(other) not in own_ports for other in waiting) else ""


def _port(client):
    return int(client["addr"].rsplit(":", 1)[1])


def _own_ports():
    """Return the local ports of all connections of this page's programs, a set of int."""
    return set().union(*(ports_of(program.process_id) for program in started_programs().values()))
