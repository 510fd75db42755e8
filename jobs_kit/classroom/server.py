"""Start a Redis for a class, which every computer of the network can reach."""

import contextlib
import secrets
import socket
from pathlib import Path
from urllib.parse import urlsplit

from jobs_kit.classroom import record
from jobs_kit.redis_server.address import Server
from jobs_kit.redis_server.server import Access, StandIn, start_server

PORT = 6379
EVERYWHERE = "* -::*"  # all addresses of this computer, of IPv6 too where it has any
DOCUMENTATION = "192.0.2.1"  # an address that is never used; nothing is sent to it


def start(folder, host="", port=None):
    """Start the server of the class in a folder; return (its Server, its Classroom).

    host: this computer's name for students; its address if empty. port: 0 takes a free one; None
    the same as before. The administrator's password stays the same, too. Raises ValueError if the
    folder belongs to a class on another server, and RedisNotFoundError if it does not start.
    """
    classroom = record.read(folder)
    if classroom and not classroom.is_the_kits:
        raise ValueError(
            f"{folder} belongs to a class on another server ({classroom.host}): name another "
            "folder with --out"
        )
    before = urlsplit(classroom.admin_url if classroom else "")
    password = before.password or secrets.token_hex(16)
    access = Access(EVERYWHERE, "off", password)
    server = start_server(port=(before.port or PORT) if port is None else port, access=access)
    if isinstance(server, StandIn):
        server.stop()
        raise ValueError("no Redis server is installed here: install redis-server 6.2 or later")
    host = host or own_address()
    classroom = classroom or record.Classroom(Path(folder), "", host, is_the_kits=True)
    classroom.admin_url, classroom.host = server.admin_url, host
    return server, classroom


def running(folder, host="", port=None):
    """Return the Classroom in a folder if its server runs here already, or None.

    host, port: as for start(). Raises ValueError if it listens at another port.
    """
    classroom = record.read(folder)
    if not (classroom and classroom.is_the_kits and Server(classroom.admin_url).answers()):
        return None
    listens = urlsplit(classroom.admin_url).port
    if port not in (None, listens):
        raise ValueError(
            f"the server of this class runs already, at port {listens}: press Ctrl-C in its terminal "
            "first, or name another folder with --out for another class"
        )
    classroom.host = host or classroom.host
    return classroom


def own_address():
    """Return the address at which other computers of the network reach this one."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((DOCUMENTATION, 9))
        return probe.getsockname()[0]
    return "127.0.0.1"
