"""The commands of a private Redis, and the recordings that the board plays of its queues."""

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


def wait_for_a_message(server):
    """Return a thread that waits for a message."""
    thread = threading.Thread(target=lambda: server.connect(db=1).blpop(KEY), daemon=True)
    thread.start()
    return thread


def texts(recording, place):
    now = recording.now
    return [now["messages"][message]["text"] for message in now.get(place, [])]


def test_a_queue_is_recorded_from_the_commands(server, recorder):
    client = server.connect(db=1)
    server.connect().hset("job.1", mapping={"id": "1", "status": "submitted"})
    client.rpush(KEY, "1", "2", "3")
    client.blpop(KEY)
    server.connect().hset("job.1", "status", "complete")
    client.blpop(KEY)
    recording = recorder.recording(1, KEY)
    assert recording.now["queue"] == "queue"
    assert (texts(recording, "done"), texts(recording, "waiting")) == (["1"], ["3"])
    assert list(recording.now["workers"]) == ["worker-1"], "it asked again, and nobody else did"
    assert recording.now["producers"] == {"producer-1": 3}
    assert [event["did"] for event in recorder.recording(0, KEY).events] == []


def test_clients_of_a_socket_are_told_apart_by_their_waiting(server, recorder, until):
    threads = [wait_for_a_message(server) for _ in range(2)]
    until(lambda: recorder.client().info("clients")["blocked_clients"] == 2)
    recorder.put(1, KEY, b"1", b"2")
    for thread in threads:
        thread.join()
    now = recorder.recording(1, KEY).now
    assert {who: len(worker["holds"]) for who, worker in now["workers"].items()} == {
        "worker-1": 1,
        "worker-2": 1,
    }
    assert now["producers"] == {"check": 2}


def test_a_recording_is_written_as_the_board_reads_it(server, recorder, tmp_path):
    server.connect(db=1).rpush(KEY, "1")
    recording = recorder.recording(1, KEY)
    recording.save(tmp_path / "queue.json")
    assert type(recording).load(tmp_path / "queue.json").now == recording.now
