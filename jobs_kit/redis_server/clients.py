"""Who is connected to a Redis, and which queue does a waiting client wait at?

CLIENT LIST says who waits (flag "b") and with which command, but not at which key. It does say how
long the words of that command are together (argv-mem), and so which keys it can not be:

    BLPOP hotqueue:some_queue 0        5 + 19 + 1 = 25
"""

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

WAITING_COMMANDS = {"blpop", "brpop", "blmove", "brpoplpush", "blmpop"}
TIMEOUT_LENGTH = 1  # "0" is for ever; longer ones would let "photos 0" pass for "words 10"


def connect(server, **options):
    """Return a redis.Redis of a Server that tells at once when the server does not answer."""
    return server.connect(retry=Retry(NoBackoff(), 0), socket_timeout=5, **options)


def list_clients(client, server):
    """Return CLIENT LIST's dicts of your own clients; None where Redis does not tell.

    client: a redis.Redis. server: its Server, whose user's clients are yours.
    """
    try:
        return own(client.client_list(), server)
    except (redis.ResponseError, KeyError):  # not allowed, or a stand-in
        return None


def own(clients, server):
    """Return those of CLIENT LIST's dicts that belong to the user of student code."""
    user = server.address.get("username", "default")
    return [one for one in clients if one.get("user", "default") == user]


def waits(client):
    """Tell whether this client (a dict of CLIENT LIST) waits for a message."""
    return "b" in client["flags"] and client["cmd"] in WAITING_COMMANDS


def may_wait_at(client, db, key):
    """Tell whether a waiting client may wait at this key, as far as CLIENT LIST says."""
    if not waits(client) or int(client["db"]) != db:
        return False
    size = int(client.get("argv-mem", 0))
    if client["cmd"] not in ("blpop", "brpop") or not size:
        return True
    return size == len(client["cmd"]) + len(key.encode()) + TIMEOUT_LENGTH


def ports_of(number):
    """Return the ports (a set of int) from which a process of this computer is connected."""
    try:
        return {one.laddr.port for one in psutil.Process(number).net_connections("tcp")}
    except psutil.Error:  # it has ended, or belongs to somebody else
        return set()
