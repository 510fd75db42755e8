"""The board of a class shows each student's state, with names or numbers."""

import functools
import re
import threading

import pytest
import redis
import requests

from jobs_kit.classroom import record
from jobs_kit.classroom.board import SIGNS, make_app, make_tiles, summarize
from jobs_kit.classroom.status import ClassStatus, StudentStatus

pytestmark = pytest.mark.redis_server


def tile(**facts):
    """Return what the tile of a student shows about whom these facts are known."""
    student = StudentStatus("Ana Silva", "ana", **{"is_out": False} | facts)
    (tile,) = make_tiles(ClassStatus([student], 0, 0, 0, 0), names=True)
    assert tile.label == "Ana Silva" and tile.state in SIGNS
    return ", ".join(filter(None, [tile.words, tile.queues]))


def test_a_tile_shows_the_state_in_words():
    assert tile() == "not connected"
    assert tile(queues={"a": 2000, "b": 1}) == "not connected, 2,001 queued"
    assert tile(connections=2, silent_seconds=59) == "active"
    assert tile(connections=2, silent_seconds=125) == "silent 2 min"
    assert tile(connections=2, silent_seconds=125, waiting=1) == "waiting"
    assert tile(connections=2, silent_seconds=1, is_out=True) == "locked out"


def test_a_memory_that_is_nearly_full_is_shown():
    assert "memory" not in summarize(ClassStatus([], 75, 100, 0, 0))
    assert "memory" not in summarize(ClassStatus([], 75, 0, 0, 0))
    assert summarize(ClassStatus([], 95, 100, 0, 0)).endswith(" · memory 95% full")


def test_the_page_follows_the_class(class_redis, classroom, students, tmp_path, until):
    classroom("init --roster roster.csv")
    read_room = functools.partial(record.read, tmp_path / "classroom")
    named, numbered = (make_app(read_room, names).test_client() for names in (True, False))
    ana = redis.Redis.from_url(students()["ana"], db=1, socket_timeout=None)
    ana.rpush("hotqueue:ana.some_queue", "one")
    waiting = threading.Thread(target=ana.blpop, args=(["ana.x"], 30), daemon=True)
    waiting.start()
    until(lambda: "1 waiting for messages · 1 queued" in numbered.get("/class").json["summary"])
    first = {"state": "waits", "sign": "…", "words": "waiting", "queues": "1 queued"}
    assert numbered.get("/class").json["tiles"][0] == first | {"label": "1"}
    assert named.get("/class").json["tiles"][0] == first | {"label": "Ana Silva"}
    assert not re.search("ana|silva", numbered.get("/class").text, re.IGNORECASE)
    classroom("add Zoë")
    assert named.get("/class").json["tiles"][-1]["label"] == "Zoë"
    ana.rpush("ana.x", "the end")
    waiting.join()
    ana.close()
    class_redis.stop()
    answer = numbered.get("/class")
    assert answer.status_code == 503 and "does not answer" in answer.json["error"]


def test_the_command_shows_it_in_a_terminal_or_on_a_page(classroom, class_redis, run, capsys):
    classroom("init --roster roster.csv")
    capsys.readouterr()
    assert classroom("board --text") == 0
    text = capsys.readouterr().out
    assert text.startswith("0 of 7 connected · ") and "1  · not connected" in text
    assert "Ana" not in text
    assert classroom("board --text --names") == 0
    assert "Łukasz Žižek  · not connected" in capsys.readouterr().out
    command = run("-m", "jobs_kit.cli", "classroom", "board", "--no-browser")
    address = re.search(r"http://127\.0\.0\.1:\d+/", command.stdout.readline())[0]
    assert "<title>The class</title>" in requests.get(address, timeout=20).text
    assert len(requests.get(f"{address}class", timeout=20).json()["tiles"]) == 7
    command.terminate()
    assert command.wait(20) == 0


def test_without_a_class_it_explains_what_to_do(classroom, capsys):
    assert classroom("board") == 1
    assert "jobs-kit classroom run` first" in capsys.readouterr().err
