"""What the tests of Redis servers share: an empty environment, and a server of a class."""

import os

import pytest
from class_server import set_user

from jobs_kit.redis_server import find

# A class server's user: reads and writes what starts with its name, and may not even PING.
ANA = "on >secret ~ana.* ~hotqueue:ana.* resetchannels -@all +rpush +blpop +lpop +llen +select"


@pytest.fixture(autouse=True)
def nothing_named():
    """No Redis is named in the environment and none was found; afterwards all is as before."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("REDIS_", "JOBS_KIT_")):
            del os.environ[name]
    find._found = None
    yield
    find._found = None
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def class_server(server):
    """The URL of ana on a server that is not hers."""
    admin = server.connect()
    set_user(admin, "ana", ANA)
    yield f"redis://ana:secret@127.0.0.1:{server.port}"
    admin.execute_command("ACL", "DELUSER", "ana")


@pytest.fixture
def process_id():
    """process_id(server): the number of a server's process, an int."""
    return lambda server: server.connect().info("server")["process_id"]
