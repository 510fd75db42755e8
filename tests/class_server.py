"""Set up users on a class's Redis server, and tell how much its version shows of clients."""

from jobs_kit.classroom import rules as rules_of_a_class

STUDENTS_COMMANDS = {"rpush", "llen", "blpop", "lpop", "rpop"}


def set_user(admin, name, rules):
    """Create an ACL user with those of the rules (a str) that this server knows."""
    rules_of_a_class.set_user(admin, name, *rules.split())


def is_quiet(admin):
    """Tell whether the next command of each client will be seen by one who only looks.

    Most servers do not count the commands of a client (tot-cmds): there the same command sent
    twice shows only in its "idle" time, in whole seconds. A person at a keyboard is as slow.
    """
    clients = [one for one in admin.client_list() if one["cmd"] in STUDENTS_COMMANDS]
    return all("tot-cmds" in one or int(one["idle"]) >= 1 for one in clients)
