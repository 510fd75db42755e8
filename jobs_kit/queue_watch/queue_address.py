"""Find a queue by its name, or by the queue itself."""

from typing import NamedTuple
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs_kit.redis_server import find
from jobs_kit.redis_server.address import Server

HOTQUEUE = "hotqueue:"  # what the key of each HotQueue starts with
NEAR = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}
DB = 1  # where the lessons keep their queues


class QueueAddress(NamedTuple):
    """server: where it is; name: of the queue; db: its database."""

    server: Server
    name: str
    db: int

    @property
    def key(self):
        """The key of its list in Redis."""
        return HOTQUEUE + self.name

    def connect(self, **options):
        """Return a redis.Redis of the kit's own user that does not wait for long.

        It tries nothing twice: a message that is put again, because the first answer was late, is
        there twice.
        """
        parts = redis.connection.parse_url(self.server.admin_url)  # its db would win over ours
        brief = {"socket_timeout": 5, "socket_connect_timeout": 2, "retry": Retry(NoBackoff(), 0)}
        return redis.Redis(connection_pool=redis.ConnectionPool(**parts | brief | options))


def find_queue(queue):
    """Return the QueueAddress of a name (str), which lessons keep in database 1, or a HotQueue.

    Raises TypeError for anything else, RedisNotFoundError where there is no Redis.
    """
    server = find.find_redis()
    if isinstance(queue, str):
        name = queue if queue.startswith(server.prefix) else server.queue_name(queue)
        return QueueAddress(server, name, DB)
    if not getattr(queue, "key", "").startswith(HOTQUEUE):
        raise TypeError(f"give the name of a queue, or a HotQueue; got {queue!r}")
    # the client is private in HotQueue, and nothing else tells where the queue is
    options = queue._HotQueue__redis.connection_pool.connection_kwargs
    known = [server, find._service] if find._service else [server]
    matches = (server for server in known if _is_at(server, options))
    server = next(matches, None) or _server_at(options)
    return QueueAddress(server, queue.key.removeprefix(HOTQUEUE), options.get("db") or 0)


def _is_at(server, options):
    if options.get("path"):
        return server.address.get("unix_socket_path") == options["path"]
    host, port = options.get("host", "localhost"), options.get("port", 6379)
    return (NEAR.get(host, host), int(port)) == (NEAR.get(server.host, server.host), server.port)


def _server_at(options):
    """Return the Server that a client with these options talks to."""
    user, password = (quote(options.get(name) or "", safe="") for name in ("username", "password"))
    login = f"{user}:{password}@" if password else ""
    if options.get("path"):
        return Server(f"unix://{login}{quote(options['path'])}", origin="named by the queue")
    where = f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
    return Server(f"redis://{login}{where}", origin="named by the queue")
