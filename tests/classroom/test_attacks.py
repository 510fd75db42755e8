"""What a student of a class may not do, and what the neighbour notices of it: nothing.

Ana attacks; her neighbours ben, ana-b and anab have a queue with one message each.
"""

import contextlib
import shlex
import socket
import time
from dataclasses import replace

import pytest
import redis

from jobs_kit.classroom.keys import delete_keys
from jobs_kit.classroom.record import Classroom
from jobs_kit.classroom.roster import Person
from jobs_kit.classroom.setup import set_up
from jobs_kit.classroom.status import read_status
from jobs_kit.redis_server.server import Access, start_server

pytestmark = pytest.mark.redis_server

NEIGHBOURS = ("ben", "ana-b", "anab")
SECONDS = 30  # until a reply counts as missing, on a busy machine too

REFUSED = """
# what stops everyone
EVAL "while true do end" 0
EVAL_RO "return 1" 0
EVALSHA 0000000000000000000000000000000000000000 0
SCRIPT LOAD "return 1"
SCRIPT FLUSH
SCRIPT KILL
FCALL f 0
FUNCTION LIST
FUNCTION DELETE lib
FUNCTION FLUSH
SRANDMEMBER ana.set -1000000000
HRANDFIELD ana.hash -1000000000
ZRANDMEMBER ana.zset -1000000000
LRANGE hotqueue:ana.q 0 -1
LINDEX hotqueue:ana.q 5000000
LPOS hotqueue:ana.q x COUNT 0
LREM hotqueue:ana.q 0 x
LCS ana.a ana.b
BITCOUNT ana.a
SINTER ana.s ana.s
SORT ana.list
SORT ana.list BY ben.* GET ben.*
SORT_RO ana.list
CLIENT PAUSE 100000
CLIENT NO-EVICT on
DEBUG SLEEP 100
DEBUG SEGFAULT
SHUTDOWN NOSAVE
SAVE
BGSAVE
BGREWRITEAOF
FAILOVER
WAIT 1 0
MULTI
WATCH ana.x
REPLICAOF 192.0.2.1 6379
SLAVEOF 192.0.2.1 6379
PSYNC ? -1
SYNC
CLUSTER RESET
MODULE LOAD /tmp/x.so
# what shows others
SCAN 0
KEYS *
RANDOMKEY
DBSIZE
INFO
INFO keyspace
MONITOR
SLOWLOG GET
LATENCY DOCTOR
MEMORY USAGE hotqueue:ben.q
MEMORY STATS
OBJECT ENCODING hotqueue:ben.q
OBJECT FREQ hotqueue:ben.q
COMMAND GETKEYS GET x
CONFIG GET *
ACL LIST
ACL USERS
ACL GETUSER ben
ACL LOG
ACL WHOAMI
CLIENT TRACKING on BCAST
CLIENT TRACKING on BCAST PREFIX hotqueue:ben.
CLIENT TRACKINGINFO
CLIENT GETREDIR
PUBSUB CHANNELS
PUBSUB NUMPAT
PUBSUB SHARDCHANNELS
SUBSCRIBE ben.news
SUBSCRIBE ana.news ben.news
SUBSCRIBE ana-b.news
SUBSCRIBE ana
SUBSCRIBE __keyspace@0__:hotqueue:ben.q
SUBSCRIBE __redis__:invalidate
SSUBSCRIBE ben.news
PSUBSCRIBE *
PSUBSCRIBE ana*
PSUBSCRIBE __key*__:*
PSUBSCRIBE ana.*x
PSUBSCRIBE [ab]*
LLEN hotqueue:ben.q
EXISTS hotqueue:ben.q
EXISTS ana.x hotqueue:ben.q
TYPE hotqueue:ben.q
TTL hotqueue:ben.q
DUMP hotqueue:ben.q
GET ben.x
GETDEL hotqueue:ben.q
# what takes or changes what others have
LPOP hotqueue:ben.q
LPOP hotqueue:ana-b.q
LPOP hotqueue:anab.q
LPOP hotqueue:ana
LPOP hotqueue:ana*.q
LPOP hotqueue:hotqueue:ben.q
LPOP HOTQUEUE:ben.q
BLPOP hotqueue:ana.none hotqueue:ben.q 1
BRPOP hotqueue:ben.q 1
BLMOVE hotqueue:ben.q hotqueue:ana.q LEFT LEFT 1
LMOVE hotqueue:ben.q hotqueue:ana.q LEFT LEFT
LMPOP 1 hotqueue:ben.q LEFT
RPOPLPUSH hotqueue:ben.q hotqueue:ana.q
RPUSH hotqueue:ben.q x
LPUSH hotqueue:ben.q x
LPUSHX hotqueue:ben.q x
LSET hotqueue:ben.q 0 x
LTRIM hotqueue:ben.q 1 0
DEL hotqueue:ben.q
DEL hotqueue:ana.q hotqueue:ben.q
UNLINK hotqueue:ben.q
EXPIRE hotqueue:ben.q 0
PERSIST hotqueue:ben.q
RENAME hotqueue:ben.q hotqueue:ana.q
RENAME hotqueue:ana.q hotqueue:ben.q
RENAMENX hotqueue:ben.q hotqueue:ana.q
COPY hotqueue:ben.q hotqueue:ana.q
MOVE hotqueue:ben.q 2
RESTORE hotqueue:ben.q 0 x REPLACE
MIGRATE 192.0.2.1 6379 hotqueue:ben.q 0 1000
SWAPDB 0 1
FLUSHALL
FLUSHDB
PUBLISH ben.news x
PUBLISH ana x
PUBLISH __keyspace@0__:x del
SPUBLISH ben.news x
CLIENT KILL USER ben
CLIENT KILL TYPE normal
CLIENT UNBLOCK 1
CLIENT REPLY OFF
CONFIG SET maxmemory 1
CONFIG SET requirepass x
CONFIG RESETSTAT
CONFIG REWRITE
ACL SETUSER ana allcommands
ACL SETUSER default on nopass +@all
ACL DELUSER ben
ACL SAVE
AUTH ben guessed
AUTH default ""
HELLO 3 AUTH ben guessed
# what fills the memory with a single command
SETRANGE ana.x 536870911 x
SETBIT ana.x 4294967295 1
BITFIELD ana.x SET u8 4294967287 1
APPEND ana.x x
PFADD ana.x x
XADD ana.x * a b
GEOADD ana.x 1 1 a
SET ana.x x
""".strip()
REFUSALS = (b"-NOPERM", b"-WRONGPASS", b"-ERR unknown command")
REFUSALS += (b"-ERR DEBUG command not allowed", b"-ERR MODULE command not allowed")
ATTACKS = [line for line in REFUSED.splitlines() if not line.startswith("#")]


class Connection:
    """A connection that sends what no client library would."""

    def __init__(self, port, login=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self.replies = self.socket.makefile("rb")
        if login:
            assert self.send("AUTH", *login) == b"+OK\r\n"

    def send(self, *words):
        """Send a command; return the first line of its reply, b"" if the server has closed."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(command(*words))
            return self.replies.readline()
        return b""


def command(*words):
    """Return a command in Redis's protocol, bytes."""
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """The Classroom of ana and her neighbours on its own server."""
    server = start_server(access=Access(default_user="off"))
    room = Classroom(tmp_path_factory.mktemp("class"), server.admin_url, "127.0.0.1")
    set_up(room, [Person(name) for name in ("ana", *NEIGHBOURS)])
    for name in NEIGHBOURS:
        client_of(room, name).rpush(f"hotqueue:{name}.q", "mine")
    yield room
    server.stop()


@pytest.fixture
def ana(room):
    """ana(): a new Connection of the attacker."""
    port = int(room.admin_url.rpartition(":")[2])
    connections = []

    def connect():
        connections.append(Connection(port, ("ana", room.find("ana").password)))
        return connections[-1]

    yield connect
    for one in connections:
        one.socket.close()


def client_of(room, name):
    return redis.Redis.from_url(room.url(room.find(name)), socket_timeout=SECONDS)


@pytest.fixture
def config(room):
    """config(name, value): a setting of the server until the test ends."""
    before = {}

    def change(name, value):
        before[name] = room.connect().config_get(name)[name]
        room.connect().config_set(name, value)

    yield change
    for name, value in before.items():
        room.connect().config_set(name, value)


@pytest.fixture(autouse=True)
def unnoticed(room):
    """Afterwards each neighbour still has its message, and can send another."""
    yield
    for name in NEIGHBOURS:
        neighbour, key = client_of(room, name), f"hotqueue:{name}.q"
        assert neighbour.rpop(key) == b"mine" and neighbour.llen(key) == 0
        neighbour.rpush(key, "mine")


def test_each_attack_is_refused(ana):
    attacker, accepted = ana(), {}
    for line in ATTACKS:
        reply = attacker.send(*shlex.split(line))
        if not reply.startswith(REFUSALS):
            accepted[line] = reply
    assert not accepted


def test_a_message_of_more_than_a_megabyte_is_refused(ana):
    assert b"invalid bulk length" in ana().send("RPUSH", "hotqueue:ana.q", "x" * (2**20 + 1))


@pytest.mark.parametrize("start", ["RPUSH ana.q", "BLPOP", "DEL", "SUBSCRIBE", "PING"])
def test_a_command_of_endless_length_ends_its_connection(room, ana, config, start):
    if "maxmemory-clients" in room.settings:
        config("maxmemory-clients", 2**22)
        argument = "x" * 60_000
    else:  # Redis 6.2 counts only what is not yet divided into words
        argument = "x" * 2**20
    assert_closed(ana(), command(*start.split(), *[f"ana.{argument}"] * 100)[:-100])


def test_replies_that_nobody_reads_end_the_connection(ana):
    assert_closed(ana(), command("PING", "x" * 500_000) * 100)


def test_a_subscriber_that_does_not_read_is_closed(room, ana):
    deaf, publisher = ana(), client_of(room, "ana")
    deaf.send("SUBSCRIBE", "ana.news")
    assert 0 in [publisher.publish("ana.news", "x" * 900_000) for _ in range(40)]


def test_in_a_full_memory_neighbours_read_and_the_owner_makes_room(room, ana, config):
    attacker, ben = client_of(room, "ana"), client_of(room, "ben")
    config("maxmemory", room.connect().info("memory")["used_memory"] + 2**22)
    with pytest.raises(redis.ResponseError, match="maxmemory"):
        for _ in range(10_000):
            attacker.rpush("hotqueue:ana.q", "x" * 1000)
    with pytest.raises(redis.ResponseError, match="maxmemory"):
        ben.rpush("hotqueue:ben.q", *["x" * 1000] * 100)
    assert ben.lpop("hotqueue:ben.q") == b"mine"
    assert attacker.delete("hotqueue:ana.q") == 1
    until_accepted(lambda: ben.rpush("hotqueue:ben.q", "mine"))


def test_the_instructor_gets_through_to_names_of_a_megabyte(room, ana):
    """No rule limits names. The lists of them are then longer than a reply may be."""
    attackers, keys = [ana() for _ in range(40)], [f"hotqueue:ana.{n}" for n in range(40)]
    for one, key in zip(attackers, keys, strict=True):
        one.send("HELLO", "3", "SETNAME", "x" * 10**6)
        attackers[0].send("RPUSH", key + "x" * 10**6, "1")
    admin = room.connect()
    for command_of_lists in ("CLIENT LIST", "KEYS *"):
        with pytest.raises(redis.ConnectionError):
            admin.execute_command(command_of_lists)
    status = {one.user: one for one in read_status(room).students}["ana"]
    assert status.connections >= len(attackers) and len(status.queues) == len(keys)
    assert delete_keys(replace(room, students=[room.find("ana")])) >= len(keys)


def assert_closed(connection, data):
    """Send data, and assert that the server closes the connection."""
    with contextlib.suppress(ConnectionError):
        connection.socket.sendall(data)
        while connection.socket.recv(2**20):
            pass


def until_accepted(function):
    """Call a function until the server does what it asks; memory is freed in the background."""
    for _ in range(500):
        with contextlib.suppress(redis.ResponseError):
            return function()
        time.sleep(0.01)
    return function()
