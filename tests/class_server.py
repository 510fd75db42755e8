"""Set up users on a class's Redis server, and tell how much its version shows of clients."""

import re

import redis

STUDENTS_COMMANDS = {"rpush", "llen", "blpop", "lpop", "rpop"}


def set_user(admin, name, rules):
    """Create an ACL user with those of the rules (a str) that this server knows.

    admin: a redis.Redis. Before 7.2 there is no CLIENT SETINFO, and 7.0 rejects a rule about it.
    """
    known = rules.split()
    while True:
        try:
            return admin.execute_command("ACL", "SETUSER", name, *known)
        except redis.ResponseError as problem:
            unknown = re.search(r"modifier '(\S+)': Unknown command", str(problem))
            if not unknown:
                raise
            known.remove(unknown[1])


def is_quiet(admin):
    """Tell whether the next command of each client will be seen by one who only looks.

    Most servers do not count the commands of a client (tot-cmds): there the same command sent
    twice shows only in its "idle" time, in whole seconds. A person at a keyboard is as slow.
    """
    clients = [one for one in admin.client_list() if one["cmd"] in STUDENTS_COMMANDS]
    return all("tot-cmds" in one or int(one["idle"]) >= 1 for one in clients)
