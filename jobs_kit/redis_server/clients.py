"""List the clients of a Redis, and tell at which queue a waiting one may wait.

CLIENT LIST says who waits (flag "b") and with which command, but not at which key. It does say how
long the words of that command are together (argv-mem), and so which keys it cannot be:

    BLPOP hotqueue:some_queue 0        5 + 19 + 1 = 25
"""

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs_kit.redis_server.monitor import BLOCKING

WAITING_COMMANDS = {name.lower() for name in BLOCKING}
TIMEOUT_LENGTH = 1  # "0" is forever; longer ones would let "photos 0" pass for "words 10"


def connect(server, **options):
    """Return a redis.Redis of a Server that raises at once when the server does not answer."""
    return server.connect(retry=Retry(NoBackoff(), 0), socket_timeout=5, **options)


def list_clients(client, server):
    """Return CLIENT LIST's dicts of your own clients; None where Redis refuses the list.

    client: a redis.Redis. server: its Server, whose user's clients are yours.
    """
    try:
        return own_clients(client.client_list(), server)
    except (redis.ResponseError, KeyError):  # not allowed, or a stand-in
        return None


def own_clients(clients, server):
    """Return those of CLIENT LIST's dicts that belong to the user of student code."""
    user = server.address.get("username", "default")
    return [client for client in clients if client.get("user", "default") == user]


def is_waiting(client):
    """Tell whether this client (a dict of CLIENT LIST) waits for a message."""
    return "b" in client["flags"] and client["cmd"] in WAITING_COMMANDS


def may_wait_at(client, db, key):
    """Tell whether a waiting client may wait at this key, as far as CLIENT LIST says."""
    if not is_waiting(client) or int(client["db"]) != db:
        return False
    size = int(client.get("argv-mem", 0))
    if client["cmd"] not in ("blpop", "brpop") or not size:
        return True
    return size == len(client["cmd"]) + len(key.encode()) + TIMEOUT_LENGTH


def ports_of(process_id):
    """Return the ports (a set of int) from which a process of this computer is connected."""
    try:
        return {conn.laddr.port for conn in psutil.Process(process_id).net_connections("tcp")}
    except psutil.Error:  # it has ended, or belongs to another user
        return set()
