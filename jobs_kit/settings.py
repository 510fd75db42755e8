"""The settings of the service: hosts, ports and times, all read from the environment here.

Every setting is a function that reads the environment when it is called, so a program or a test
may change a variable at any time. Unset or empty means the default.

    REDIS_URL                 redis://user:password@host:port/db; wins over the next two
    REDIS_HOST, REDIS_PORT    the address of Redis (127.0.0.1, 6379)
    JOBS_KIT_PREFIX           the start of all your keys on a shared Redis (the user name in
                              REDIS_URL and a dot; nothing without one)
    JOBS_KIT_JOB_SECONDS      the minimum duration of a job, so that you can watch it (0)
    JOBS_KIT_JOB_EXPIRES      seconds that an ended job is kept (604800, one week)
    JOBS_KIT_LEASE            seconds without a heartbeat until a worker counts as dead (6)
    JOBS_KIT_WORKER_NAME      the name of a worker in the log (its machine and process id)
    JOBS_KIT_API_PORT         the port on which `jobs-kit api` listens (5000)
"""

import os
import re
import socket
from urllib.parse import urlsplit


def redis_url():
    """Return the URL of the Redis that this program uses, a str."""
    host, port = service_address()
    return os.environ.get("REDIS_URL") or f"redis://{host}:{port}"


def service_address():
    """Return (host, port) of the Redis where the services of the lessons keep their jobs."""
    host = os.environ.get("REDIS_HOST") or "127.0.0.1"
    return host, _number("REDIS_PORT", 6379, whole=True, at_most=65535)


def redis_is_named():
    """Return whether the environment names a Redis (bool)."""
    return any(os.environ.get(name) for name in ("REDIS_URL", "REDIS_HOST", "REDIS_PORT"))


def without_password(url):
    """Return the URL with its password hidden, for logs: redis://ana:***@host:6379."""
    return re.sub(r"(//[^:/@]*):.*@", r"\1:***@", url)


def prefix():
    """Return the start of all keys and queue names of this user: '', or 'ana.' for ana's URL."""
    user = urlsplit(redis_url()).username
    return os.environ.get("JOBS_KIT_PREFIX", f"{user}." if user and user != "default" else "")


def job_seconds():
    """Return the minimum duration of a job, in seconds."""
    return _number("JOBS_KIT_JOB_SECONDS", 0)


def job_expires():
    """Return how long a job is kept after its end, in whole seconds."""
    return _number("JOBS_KIT_JOB_EXPIRES", 7 * 24 * 3600, whole=True, at_least=1)


def lease():
    """Return the seconds without a heartbeat after which a worker counts as dead."""
    return _number("JOBS_KIT_LEASE", 6, at_least=0.1)


def worker_name():
    """Return the name of this worker in the log: worker-a, or machine-4711."""
    return os.environ.get("JOBS_KIT_WORKER_NAME") or f"{socket.gethostname()}-{os.getpid()}"


def api_port():
    """Return the port on which the API listens."""
    return _number("JOBS_KIT_API_PORT", 5000, whole=True, at_most=65535)


def _number(name, default, whole=False, at_least=0, at_most=10**9):
    text = os.environ.get(name)
    if not text:
        return default
    try:
        number = int(text) if whole else float(text)
        if at_least <= number <= at_most:
            return number
    except ValueError:
        pass
    kind = "a whole number" if whole else "a number"
    raise ValueError(
        f"{name} is {text!r}; it must be {kind} from {at_least} to {at_most}, such as {default}"
    )
