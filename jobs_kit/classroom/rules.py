"""What a student may do on the class's Redis: an ACL user's rules.

A user reaches only keys and channels that start with its name and a dot, and only the commands that
the lessons need. Each of these takes a few microseconds, however much a student has stored.
"""

import re

import redis

COMMANDS = [
    *("ping", "select", "exists", "del"),
    *("lpush", "rpush", "lpop", "rpop", "blpop", "brpop", "llen"),
    *("publish", "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "pubsub|numsub"),
    # LIST shows everyone's user and address, and the board who waits
    *("client|id", "client|list", "client|getname", "client|setname", "client|setinfo"),
]
# Left out on purpose: LRANGE and LINDEX (seconds on a list of millions), MULTI (its commands run
# as one), SCAN and KEYS (others' names), scripts (an endless one stops everyone), CLIENT TRACKING.

KEY_STARTS = ("", "hotqueue:")  # HotQueue puts its own word before the name of a queue
USER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")  # no dot: ana's rules would match ana.b's keys
UNKNOWN_COMMAND = re.compile(r"modifier '(\S+)': Unknown command")


def prefix(user):
    """Return the start of all names of keys and channels that a user may use: "ana."."""
    return f"{user}."


def key_patterns(user):
    """Return the patterns (a list of str) of the keys that a user may use."""
    return [f"{start}{prefix(user)}*" for start in KEY_STARTS]


def rules(user):
    """Return a user's rules, a list of words for ACL SETUSER. Raises ValueError for a bad name."""
    if not USER_NAME.fullmatch(user):
        raise ValueError(f"{user!r} can't be a user: use letters a-z, digits, - and _, 32 at most")
    keys = [f"~{pattern}" for pattern in key_patterns(user)]
    commands = [f"+{command}" for command in COMMANDS]
    return ["resetkeys", *keys, "resetchannels", f"&{prefix(user)}*", "-@all", *commands]


def set_user(client, user, *words):
    """Create or change an ACL user; leave out commands that this server does not know.

    client: a redis.Redis that may manage users. words: as for ACL SETUSER. CLIENT SETINFO, for
    one, came with Redis 7.2, and 7.0 rejects a rule about it.
    """
    while True:
        try:
            return client.execute_command("ACL", "SETUSER", user, *words)
        except redis.ResponseError as problem:
            unknown = UNKNOWN_COMMAND.search(str(problem))
            if not unknown or unknown[1] not in words:
                raise
            words = [word for word in words if word != unknown[1]]
