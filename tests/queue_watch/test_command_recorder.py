"""The commands of a private Redis, and who sent them."""

import threading

import pytest

from jobs_kit.queue_watch.command_recorder import CommandRecorder
from jobs_kit.redis_server.server import start_server

KEY = "hotqueue:queue"


@pytest.fixture
def server():
    server = start_server(unix_socket=True)
    yield server
    server.stop()


@pytest.fixture
def recorder(server):
    recorder = CommandRecorder(server)
    yield recorder
    recorder.disconnect()


def wait_for_a_message(server, name):
    """Return a thread that waits for a message as a client of this name."""
    client = server.connect(db=1, client_name=name)
    thread = threading.Thread(target=lambda: client.blpop(KEY), daemon=True)
    thread.start()
    return thread


def test_each_command_has_its_sender_although_all_share_a_socket(server, recorder, until):
    workers = [wait_for_a_message(server, name) for name in ("ana", "ben")]
    until(lambda: recorder.client().info("clients")["blocked_clients"] == 2)
    put = server.connect(db=1, client_name="put").rpush
    put(KEY, "1")
    until(lambda: recorder.client().info("clients")["blocked_clients"] == 1)
    recorder.put(1, KEY, b"2")
    for worker in workers:
        worker.join()
    senders = recorder.senders()
    sent = [
        (client, command.name)
        for client, command in zip(senders.clients, senders.commands, strict=True)
        if command.arguments and command.arguments[0] == KEY.encode()
    ]
    assert sent[2:] == [("unix:put", "RPUSH"), ("unix:check", "RPUSH")]
    assert {*sent[:2]} == {("ana#1", "BLPOP"), ("ben#1", "BLPOP")}
    first, second = (place for place, one in enumerate(senders.commands) if one.name == "BLPOP")
    pushes = [place for place, one in enumerate(senders.commands) if one.name == "RPUSH"]
    assert senders.ended == {pushes[0]: [first], pushes[1]: [second]}


def test_a_client_that_waits_twice_at_once_is_two(server, recorder, until):
    waiting = [wait_for_a_message(server, "ana") for _ in range(2)]
    until(lambda: recorder.client().info("clients")["blocked_clients"] == 2)
    senders = recorder.senders()
    pops = [
        client
        for client, command in zip(senders.clients, senders.commands, strict=True)
        if command.name == "BLPOP"
    ]
    assert pops == ["ana#1", "ana#2"]
    recorder.put(1, KEY, b"1", b"2")
    for thread in waiting:
        thread.join()


def test_a_script_is_sent_by_its_caller(server, recorder):
    client = server.connect(client_name="ana")
    client.eval("redis.call('set', KEYS[1], 'x') return 1", 1, "k")
    senders = recorder.senders()
    last = senders.commands[-2:]
    assert [command.name for command in last] == ["EVAL", "SET"]
    assert senders.clients[-2:] == ["unix:ana", "lua"]


def test_it_knows_whether_the_last_message_was_asked_for(server, recorder):
    queue = server.connect(db=1)
    queue.rpush(KEY, "1", "2")
    queue.lpop(KEY)
    assert not recorder.asked_in_vain
    queue.lpop(KEY)
    assert not recorder.asked_in_vain  # it has not asked for more
    queue.lpop(KEY)
    assert recorder.asked_in_vain
    queue.rpush(KEY, "3")
    assert recorder.asked_in_vain  # what comes later changes nothing
    queue.llen(KEY)
    assert not recorder.asked_in_vain
    queue.lpop(KEY)
    assert recorder.asked_in_vain  # its length had announced no more
    queue.blpop(KEY, 0.01)
    assert recorder.asked_in_vain
