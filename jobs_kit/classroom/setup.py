"""Set up a class on a Redis server, and take it down."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import redis

from jobs_kit import settings
from jobs_kit.classroom import record
from jobs_kit.classroom.keys import delete_keys
from jobs_kit.classroom.limits import apply_limits, restore_settings
from jobs_kit.classroom.users import create, enrol, remove
from jobs_kit.redis_server.address import Server, server_version
from jobs_kit.redis_server.server import OLDEST

EVICTS_CLIENTS = (7, 0)  # the first version with maxmemory-clients
NEAR = ("localhost", "127.0.0.1", "::1")


@dataclass
class SetUp:
    """What set_up() did. new: Students; refused: {limit: why}; warnings: sentences."""

    new: list
    refused: dict
    warnings: list


def find_or_make(folder, url="", host=""):
    """Return the Classroom of a folder; make a new one for the server at `url` if there is none.

    url: of a user that may manage users. host: the server's name for students, if it isn't url's.
    Raises ValueError if the folder belongs to a class on another server.
    """
    classroom = record.read(folder)
    if not (classroom or url):
        raise ValueError(
            "no Redis is named: set REDIS_URL to redis://USER:PASSWORD@HOST:PORT, whose user may "
            "manage users, or let `jobs-kit classroom run` start a server"
        )
    if classroom and classroom.is_the_kits:
        url = ""  # its server is known
    if classroom and url and _place(classroom.admin_url) != _place(url):
        raise ValueError(
            f"{folder} belongs to the class on {settings.without_password(classroom.admin_url)}, "
            f"and REDIS_URL names {settings.without_password(url)}: unset REDIS_URL, or name "
            "another folder with --out"
        )
    if not classroom:
        classroom = record.Classroom(Path(folder), url, _place(url)[0])
    elif url:
        classroom.admin_url = url  # the password may be new
    if host:
        classroom.host = host
    return classroom


def set_up(classroom, people):
    """Give the server its limits and each student a user; return a SetUp.

    people: Persons; those who are in the class already keep their passwords. Raises ValueError if
    the server can't have a class, and RedisError if it does not answer.
    """
    with classroom.connect() as client:
        warnings = _examine(client, classroom)
        refused = apply_limits(client, classroom)
        new = enrol(client, classroom, people)
        for student in classroom.students:
            create(client, student)
    return SetUp(new, refused, warnings)


def take_down(classroom):
    """Remove what set_up() made; return (users, keys, {setting: its value again}).

    A server of the kit's ends instead, with all that it has.
    """
    removed = len(classroom.students), 0, {}
    if not classroom.is_the_kits:
        with classroom.connect() as client:
            users = remove(client, classroom)
            removed = users, delete_keys(classroom), restore_settings(client, classroom)
    elif Server(classroom.admin_url).answers():
        classroom.connect().shutdown(nosave=True)
    classroom.remove()
    return removed


def _place(url):
    """Return (host, port) of a URL. Raises ValueError if it has no host."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(
            f"{settings.without_password(url)} names no host that students can reach: "
            "set REDIS_URL to redis://USER:PASSWORD@HOST:PORT"
        )
    return parts.hostname, parts.port or 6379


def _examine(client, classroom):
    """Return warnings about the server. Raises ValueError if it can't have a class."""
    name, text = server_version(client)
    version = tuple(map(int, text.split(".")[:2]))
    if version < OLDEST:
        raise ValueError(f"the server is {name} {text}; a class needs Redis 6.2 or later")
    try:
        is_open = {"on", "nopass"} <= set(client.acl_getuser("default")["flags"])
    except redis.ResponseError as problem:
        raise ValueError(
            f"REDIS_URL's user may not manage users on this server ({problem}): name one that may"
        ) from None
    warnings = []
    if version < EVICTS_CLIENTS:
        warnings.append(
            f"{name} {text} doesn't limit what a connection buffers, so a student can use up the "
            "memory: prefer Redis 7.0 or later, or Valkey"
        )
    if is_open:
        warnings.append(
            "This server lets anyone in without a password, as the user default: the class isn't "
            "protected until you run `ACL SETUSER default resetpass >PASSWORD` there"
        )
    if classroom.host in NEAR:
        warnings.append(
            f"Students on other computers can't reach {classroom.host}: name this server as they "
            "reach it with --host"
        )
    return warnings
