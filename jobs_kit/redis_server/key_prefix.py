"""Choose the prefix of a user's keys on a Redis that others use too."""

import getpass
import os


def is_shared(server):
    """Tell whether others use the Server too: its URL has a user, or it is on another machine."""
    near = server.host in (None, "127.0.0.1", "localhost", "::1")
    return not server.is_the_kits and (bool(server.prefix) or not near)


def own_prefix(server):
    """Return the prefix of your keys on the Server; your login if its URL names no user."""
    if is_shared(server) and "JOBS_KIT_PREFIX" not in os.environ:
        return server.prefix or f"{_login()}."
    return server.prefix


def _login():
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as containers have them
        return f"user{os.getuid()}"
