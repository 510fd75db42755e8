"""Find the keys of a class's users on the server, and delete them."""

import redis

from jobs_kit.classroom.rules import KEY_STARTS

BATCHES = (1000, 10)  # keys asked for in one command; fewer where their names are too long
HOTQUEUE = KEY_STARTS[1].encode()


def owner(key):
    """Return the user whose rules match a key (bytes), a str: "ana" for b"hotqueue:ana.x"; or None."""
    user, dot, _ = key.removeprefix(HOTQUEUE).partition(b".")
    return user.decode(errors="replace") if dot else None


def owned_keys(classroom, **options):
    """Yield (client, [(user, key), …]) of the keys that a user's rules could match, in batches.

    client: a redis.Redis of the keys' database. options: as for its scan().
    """
    for db in _databases(classroom):
        with classroom.connect(db=db) as client:
            for keys in _scan(client, **options):
                yield client, [(user, key) for key in keys if (user := owner(key))]


def delete_keys(classroom):
    """Delete all keys of the class's users; return how many there were."""
    users, count = {student.user for student in classroom.students}, 0
    for client, keys in owned_keys(classroom):
        pipeline = client.pipeline(transaction=False)
        for user, key in keys:
            if user in users:
                pipeline.unlink(key)
        count += sum(pipeline.execute())
    return count


def _scan(client, **options):
    """Yield lists of keys of a database. A student may have given names of a megabyte to many."""
    cursor, batches = 0, list(BATCHES)
    while True:
        try:
            cursor, keys = client.scan(cursor, count=batches[0], **options)
        except redis.ConnectionError:  # the reply was longer than the server's limit
            if len(batches) == 1:
                raise
            batches.pop(0)
            continue
        yield keys
        if cursor == 0:
            return


def _databases(classroom):
    """Return the numbers of the databases that have keys."""
    with classroom.connect() as client:
        try:
            return [int(name.removeprefix("db")) for name in client.info("keyspace")]
        except redis.ResponseError:
            return range(16)
