"""Name the clients of Redis: "worker-1" says more than 127.0.0.1:50312.

In this order: the name of the program that the board has started, if the connection is its own;
the name that the client gave itself in Redis; producer-1, worker-2 as they come.
"""

import os
import re
import time

from jobs_kit.redis_server.clients import ports_of

RANDOM_END = re.compile(r"-[0-9a-f]{8}$")  # of the name of a Consumer (queues.py)
MOST_INTRODUCED = 1000
LIST_SECONDS = 0.05  # many new clients at once do not make us ask for each
HERE = ("127.0.0.1:", "[::1]:")


class Addresses:
    """Calls each client by its address, for programs that compare them."""

    role = "worker"

    def __init__(self):
        self._known = set()

    def of(self, client, kind, consumer=None):
        """Return the name of the client at an address."""
        self._known.add((client, kind))
        return client

    def known(self, client, kind):
        """Return the name that a client has, or None if it did nothing of that kind."""
        return client if (client, kind) in self._known else None

    def introduce(self, client, name):
        """Ignore the name that a client gives itself."""

    def release(self, name):
        """Keep the name; an address is not given twice."""


class Names:
    """Names for addresses.

    programs(): {name: number of its process}, those that the board has started.
    list_clients(): {address: its properties}, as Redis lists them; {} where it refuses that.
    role: what those that take messages are called here, "worker" or "consumer".
    """

    def __init__(self, programs=dict, list_clients=dict, *, role="worker"):
        self.role = role
        self._programs, self._list_clients = programs, list_clients
        self._clients, self._listed_at = {}, 0
        self._introduced = {}  # address: the name that it gave itself while it was heard
        self._given = {}  # (kind, address or consumer): its name
        self._last = {"producer": 0, "worker": 0}

    def of(self, client, kind, consumer=None):
        """Return the name of the client at an address.

        kind: "producer" or "worker"; consumer: what a worker calls itself in Redis, or None.
        """
        identity = (kind, consumer or client)
        if identity not in self._given:
            self._given[identity] = self._find(client, kind, consumer)
        return self._given[identity]

    def known(self, client, kind):
        """Return the name that a client has, or None if it did nothing of that kind."""
        return self._given.get((kind, client))

    def introduce(self, client, name):
        """Note the name that a client gives itself; it may be gone before Redis can be asked."""
        self._introduced[client] = name
        if len(self._introduced) > MOST_INTRODUCED:
            del self._introduced[next(iter(self._introduced))]

    def next(self, kind):
        """Return a name that no client has."""
        self._last[kind] += 1
        return f"{self.role if kind == 'worker' else kind}-{self._last[kind]}"

    def release(self, name):
        """Free a name; a program that comes back may have it again."""
        self._given = {who: given for who, given in self._given.items() if given != name}

    def _find(self, client, kind, consumer):
        if program := self._program(client, kind):
            return program
        own = RANDOM_END.sub("", consumer or self._own_name(client))
        if not own and kind == "producer" and self._clients and client not in self._clients:
            return "producer"  # gone already: those who come for one message are one
        if not own:
            return self.next(kind)
        taken, name, number = set(self._given.values()), own, 1
        while kind == "worker" and name in taken:
            number += 1
            name = f"{own}-{number}"
        return name

    def _own_name(self, client):
        if client in self._introduced:
            return self._introduced[client]
        if client not in self._clients and time.monotonic() > self._listed_at + LIST_SECONDS:
            self._clients, self._listed_at = self._list_clients(), time.monotonic()
        return self._clients.get(client, {}).get("name", "")

    def _program(self, client, kind):
        """Return the name of the program here to which a connection belongs, or None."""
        if not client.startswith(HERE):
            return None
        port, processes = int(client.rsplit(":", 1)[1]), self._programs()
        if kind == "producer":  # threads that take messages are several workers, not one
            processes = processes | {"notebook": os.getpid()}
        return next((name for name, one in processes.items() if port in ports_of(one)), None)
