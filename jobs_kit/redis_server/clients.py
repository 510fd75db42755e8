"""List the clients of a Redis, and tell at which queue a waiting one may wait.

CLIENT LIST says who waits (flag "b") and with which command, but not at which key. It does say how
long the words of that command are together (argv-mem), and so which keys it cannot be:

    BLPOP hotqueue:some_queue 0        5 + 19 + 1 = 25
"""

import time

import psutil
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs_kit.redis_server.monitor import BLOCKING

WAITING_COMMANDS = {name.lower() for name in BLOCKING}
TIMEOUT_LENGTH = 1  # "0" is forever; longer ones would let "photos 0" pass for "words 10"
SECONDS_FOR_EACH = 0.01  # of rest after a list of all clients, for each client on it


def connect(server, **options):
    """Return a redis.Redis of a Server that raises at once when the server does not answer."""
    return server.connect(retry=Retry(NoBackoff(), 0), socket_timeout=5, **options)


class ClientList:
    """The clients of a Server's user, cheap enough for each student of a class to ask for.

    A list of 900 clients costs Redis 1 to 3 ms, a list of a few by their ids a tenth of that. So
    all are listed only now and then, to find new ones: a whole class together asks for that list
    no more often than one student alone.
    """

    def __init__(self, server):
        self._server, self._ids, self._all_due = server, [], 0

    def read(self, client, thoroughly=False):
        """Return CLIENT LIST's dicts of your own clients; None where Redis refuses the list.

        client: a redis.Redis. thoroughly: find those, too, that have only just connected.
        """
        is_full = thoroughly or not self._ids or time.monotonic() > self._all_due
        try:
            clients = client.client_list(**{} if is_full else {"client_id": self._ids})
        except (redis.ResponseError, KeyError):  # not allowed, or a stand-in
            return None
        own = own_clients(clients, self._server)
        if is_full:
            self._ids = [one["id"] for one in own]
            self._all_due = time.monotonic() + SECONDS_FOR_EACH * len(clients)
        return own


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
