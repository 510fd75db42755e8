"""Close the connections of a user who takes so much of the server that others might get none.

No rule limits the connections of one user, and a server that is full of them lets nobody in, not
even its administrator. Nor does a limit count what clients cost that wait for thousands of keys. So
the administrator of `jobs-kit classroom run` stays connected and looks.
"""

import time
from collections import defaultdict

import redis

from jobs_kit.classroom.status import list_clients

MOST = 100  # connections of one user; a board, two shells and some workers need ten
MOST_MEMORY = 8 * 2**20  # bytes of one user's connections; each takes 20,000 while it is idle
SECONDS = 1


def guard(server, classroom, report):
    """Watch the connections until the server ends.

    server: a StartedServer. classroom: its Classroom. report(text): called when a user's are closed.
    """
    with classroom.connect() as client:
        own = client.acl_whoami()
        while server.is_running():
            try:
                for user, count, memory in greedy_users(list_clients(client), own):
                    client.client_kill_filter(user=user)
                    report(f"{user}: closed {count} connections that used {memory / 2**20:.0f} MB")
            except redis.RedisError as problem:
                if server.is_running():
                    report(f"the connections could not be counted: {problem}")
            time.sleep(SECONDS)


def greedy_users(clients, own):
    """Return [(user, number of connections, their bytes)] of those who take too much.

    clients: the dicts of CLIENT LIST; own: the administrator. Clients that have not sent a password
    yet count as the user default.
    """
    memory = defaultdict(list)
    for client in clients:
        memory[client["user"]].append(int(client.get("tot-mem", 0)))
    return [
        (user, len(sizes), sum(sizes))
        for user, sizes in memory.items()
        if user != own and (len(sizes) > MOST or sum(sizes) > MOST_MEMORY)
    ]
