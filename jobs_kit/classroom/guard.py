"""Close the connections of a user who opens so many that others might get none.

No rule limits the connections of one user, and a server that is full of them lets nobody in, not
even its administrator. So the one of `jobs-kit classroom run` stays connected and looks.
"""

import time
from collections import Counter

import redis

from jobs_kit.classroom.status import list_clients

MOST = 100  # connections of one user; a board, two shells and some workers need ten
SECONDS = 1


def guard(server, classroom, report):
    """Watch the connections until the server ends.

    server: a StartedServer. classroom: its Classroom. report(text): called when a user's are closed.
    """
    with classroom.connect() as client:
        own = client.acl_whoami()
        while server.is_running():
            try:
                for user, count in crowds(list_clients(client), own):
                    client.client_kill_filter(user=user)
                    report(f"{user} had {count} connections, more than {MOST}: all were closed")
            except redis.RedisError as problem:
                if server.is_running():
                    report(f"the connections could not be counted: {problem}")
            time.sleep(SECONDS)


def crowds(clients, own):
    """Return [(user, number of connections)] of users with too many; own: the administrator.

    clients: the dicts of CLIENT LIST. Who has not yet sent a password counts as the user default.
    """
    counts = Counter(one["user"] for one in clients)
    return [(user, n) for user, n in counts.items() if n > MOST and user != own]
