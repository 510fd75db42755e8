"""Set limits on a server that a class shares, so that no student uses up its memory or time.

Each value before is in the class's record, so that the end of the class brings it back.
"""

import redis

MEMORY = 256 * 2**20  # bytes for messages and connections, where the server has no limit
LIMITS = {
    "maxmemory-policy": "noeviction",  # a full memory refuses writes, and no message is lost
    "maxmemory-clients": "128mb",  # what all connections may buffer; the greediest is closed
    "client-query-buffer-limit": "1mb",  # the longest command: 50,000 keys take 0.1 s
    "client-output-buffer-limit": "normal 33554432 8388608 10 pubsub 1048576 524288 10",
    "proto-max-bulk-len": "1mb",  # the longest message
    "tcp-keepalive": "60",  # seconds until the connections of a closed laptop end
    "lazyfree-lazy-user-del": "yes",  # DEL of a list of millions stops nobody
    # each message is charged 60 bytes: an LPOP of millions would take seconds
    "list-max-ziplist-size": "1",
    # Valkey's replies share the memory of long messages, which then counts for no connection
    "min-string-size-avoid-copy-reply": "2097152",
    "min-string-size-avoid-copy-reply-threaded": "2097152",
}


def apply_limits(client, classroom):
    """Set the limits that this server has; return {name: why not} of those that it refuses.

    client: a redis.Redis that may set CONFIG. classroom: a Classroom, whose record is saved before
    anything is changed, so that an interruption loses no earlier value.
    """
    refused, new = {}, {}
    for name, value in {**LIMITS, "maxmemory": _memory(client)}.items():
        try:
            now = client.config_get(name).get(name)
        except redis.ResponseError as problem:
            now, refused[name] = None, str(problem)
        if value and now is not None and now != classroom.settings.get(name, [None, None])[1]:
            new[name], classroom.settings[name] = value, [now, None]
    classroom.save()
    for name, value in new.items():
        try:
            client.config_set(name, value)
            classroom.settings[name][1] = client.config_get(name)[name]
        except redis.ResponseError as problem:
            refused[name] = str(problem)
        if classroom.settings[name][1] in (None, classroom.settings[name][0]):
            del classroom.settings[name]  # nothing to bring back
    classroom.save()
    return refused


def restore_settings(client, classroom):
    """Bring back the earlier values of what is still as we set it; return {name: value}.

    A setting that the instructor has changed since stays.
    """
    restored = {}
    for name, (before, ours) in classroom.settings.items():
        if client.config_get(name).get(name) == ours or ours is None:
            client.config_set(name, before)
            restored[name] = before
    return restored


def _memory(client):
    """Return a limit for the memory, in bytes, or None where the server has one."""
    memory = client.info("memory")
    return None if memory["maxmemory"] else memory["used_memory"] + MEMORY
