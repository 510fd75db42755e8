"""The commands that a Redis receives, followed and parsed."""

import pytest
import redis

from jobs_kit.redis_server.clients import connect
from jobs_kit.redis_server.monitor import Command, Monitor, escape, parse_command
from jobs_kit.redis_server.server import start_server

LINE = rb'+1732450000.25 [1 [::1]:50312] "rpush" "hotqueue:gr\xc3\xb6\n" "\"a b\"" "\x00\\"'


def test_a_line_of_monitor_is_read():
    words = ["hotqueue:grö\n".encode(), b'"a b"', b"\x00\\"]
    assert parse_command(LINE) == Command(1732450000.25, 1, "[::1]:50312", "RPUSH", words)
    assert escape("hotqueue:grö\n") in LINE
    assert parse_command(b'+1.0 [0 lua] "LPOP" "q"').by_script
    assert parse_command(b'+1.0 [3 unix:/tmp/a b.sock] "PING"').client == "unix:/tmp/a b.sock"
    assert parse_command(b"+OK") is None


@pytest.mark.parametrize(
    ("command", "keys", "time_out", "from_the_end", "most"),
    [
        ("BLPOP a b 0", ["a", "b"], 0, False, 1),
        ("BRPOP a 1.5", ["a"], 1.5, True, 1),
        ("LPOP a 3", ["a"], None, False, 3),
        ("BLMPOP 2 2 a b RIGHT COUNT 5", ["a", "b"], 2, True, 5),
        ("LMPOP 1 a LEFT", ["a"], None, False, 1),
        ("LMOVE a b RIGHT LEFT", ["a"], None, True, 1),
        ("BRPOPLPUSH a b 7", ["a"], 7, True, 1),
        ("BLPOP a soon", ["a"], None, False, 1),
    ],
)
def test_a_command_knows_what_it_asks_for(command, keys, time_out, from_the_end, most):
    name, *words = command.split()
    command = Command(1.0, 0, "a", name, [word.encode() for word in words])
    assert (command.keys, command.time_out) == (keys, time_out)
    assert (command.takes_from_the_end, command.most_taken) == (from_the_end, most)


@pytest.mark.parametrize("unix_socket", [False, True])
def test_commands_are_followed_up_to_a_mark(unix_socket):
    server = start_server(unix_socket=unix_socket)
    try:
        with Monitor(connect(server)) as monitor:
            client = server.connect(db=2)
            client.set("key", "two\nlines")
            client.echo("mark")
            commands = [parse_command(line) for line in monitor.lines_before(b"mark")]
            assert not monitor.wait(0)
            client.ping()
            assert monitor.wait(5) and b'"PING"' in monitor.line()
        sent = next(command for command in commands if command.name == "SET")
        assert (sent.db, sent.arguments) == (2, [b"key", b"two\nlines"])
    finally:
        server.stop()


def test_a_user_without_monitor_is_refused(server):
    admin = server.connect()
    admin.execute_command("ACL", "SETUSER", "deaf", "on", ">secret", "+@all", "-monitor")
    client = redis.Redis(host=server.host, port=server.port, username="deaf", password="secret")
    with pytest.raises(redis.ResponseError):
        Monitor(client)
    admin.execute_command("ACL", "DELUSER", "deaf")


def test_a_redis_that_ends_is_an_error():
    server = start_server()
    with Monitor(connect(server)) as monitor:
        server.stop()
        with pytest.raises(redis.ConnectionError):
            monitor.lines_before(b"mark").__next__()
