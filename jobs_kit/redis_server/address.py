"""Describe a Redis server: its address, its clients, its version."""

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError
from redis.retry import Retry

from jobs_kit import settings


class RedisNotFoundError(Exception):
    """No Redis can be reached or started; the message says what to do."""


class Server:
    """A Redis server that this process did not start.

    url (str): for student code; admin_url: for the kit; host (str), port (int), address (dict):
    the keyword arguments of a client; prefix (str): what your queues' names start with;
    is_the_kits (bool): whether a kit started it, whose user then comes in through admin_url.
    """

    def __init__(self, url, admin_url=None, origin="named by REDIS_URL or REDIS_HOST"):
        self.url, self.admin_url, self.origin = url, admin_url or url, origin
        self.is_the_kits = admin_url is not None
        parts = redis.connection.parse_url(url)
        self.address = {k: parts[k] for k in ("username", "password") if parts.get(k)}
        self.host = self.port = None
        if "path" in parts:
            self.address["unix_socket_path"] = parts["path"]
        else:
            self.host, self.port = parts.get("host", "127.0.0.1"), parts.get("port", 6379)
            self.address |= {"host": self.host, "port": self.port}
        if url.startswith("rediss:"):
            certificates = {k: value for k, value in parts.items() if k.startswith("ssl_")}
            self.address |= {"ssl": True} | certificates

    def connect(self, **options):
        """Return a redis.Redis of the kit's own user; options as for redis.Redis.from_url."""
        return redis.Redis.from_url(self.admin_url, **options)

    def answers(self):
        """Tell whether the server answers a PING within two seconds."""
        try:
            return self.connect(retry=Retry(NoBackoff(), 0), socket_timeout=2).ping()
        except NoPermissionError:
            return True  # a refusal is an answer
        except redis.RedisError:
            return False

    def stop(self):
        """Do nothing: a server that the kit has not started goes on."""

    @property
    def prefix(self):
        """The prefix of this user's keys on a shared server; "" elsewhere."""
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
            return f"Redis at {place}, {self.origin}, does not answer ({problem})"
        return f"{name} {version} at {place}, {self.origin}"


def server_version(client):
    """Return (name, version) of the server behind a redis.Redis client: ("Redis", "7.0.15").

    HELLO and not INFO: a class server may refuse INFO, and every server from 6.2 on greets.
    """
    try:
        reply = client.execute_command("HELLO")
    except NoPermissionError:
        raise
    except redis.ResponseError:  # older than 6.2
        return "Redis", str(client.info("server").get("redis_version", "of unknown version"))
    pairs = reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
    texts = {_str(key): _str(value) for key, value in pairs.items()}
    return texts["server"].capitalize(), texts["version"]


def _str(value):
    return value.decode() if isinstance(value, bytes) else str(value)
