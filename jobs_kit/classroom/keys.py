"""Find the keys of a class's users on the server, and delete them."""

import redis

from jobs_kit.classroom.rules import KEY_STARTS

BATCH = 1000  # keys asked for, or deleted, in one command
HOTQUEUE = KEY_STARTS[1].encode()


def owner(key):
    """Return the user whose rules match a key (bytes), a str: "ana" for b"hotqueue:ana.x"; or None."""
    user, dot, _ = key.removeprefix(HOTQUEUE).partition(b".")
    return user.decode(errors="replace") if dot else None


def owned_keys(classroom, **options):
    """Yield (client, user, key) of all keys that a user's rules could match, in each database.

    client: a redis.Redis of that database. options: as for its scan_iter().
    """
    for db in _databases(classroom):
        with classroom.connect(db=db) as client:
            for key in client.scan_iter(count=BATCH, **options):
                if user := owner(key):
                    yield client, user, key


def delete_keys(classroom):
    """Delete all keys of the class's users; return how many there were."""
    users, count = {student.user for student in classroom.students}, 0
    for client, user, key in owned_keys(classroom):
        if user in users:
            count += client.unlink(key)
    return count


def _databases(classroom):
    """Return the numbers of the databases that have keys."""
    with classroom.connect() as client:
        try:
            return [int(name.removeprefix("db")) for name in client.info("keyspace")]
        except redis.ResponseError:
            return range(16)
