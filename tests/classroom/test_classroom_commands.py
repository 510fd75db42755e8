"""`jobs-kit classroom` as an instructor uses it after init: off, on, add, status, end, and run."""

import contextlib
import json
import re
import subprocess
import sys

import pytest
import redis

from jobs_kit.classroom import guard, setup

pytestmark = pytest.mark.redis_server


@pytest.fixture
def room(class_redis, classroom, students, capsys):
    """The classroom after init, with what it printed read."""
    assert classroom("init --roster roster.csv") == 0
    capsys.readouterr()
    return classroom


def client_of(url, **options):
    return redis.Redis.from_url(url, **options)


def test_a_student_who_is_locked_out_is_out_at_once(room, students, capsys):
    ana, ben = client_of(students()["ana"]), client_of(students()["bob"])
    ana.rpush("ana.q", "kept")
    with ana.pubsub() as ear:
        ear.subscribe("ana.news")
        assert ear.get_message(timeout=5)["type"] == "subscribe"
        assert room("off ana") == 0
        assert re.search("ana is locked out; closed connections: 1", capsys.readouterr().out)
        with pytest.raises(redis.ConnectionError):
            ear.connection.read_response()
    with pytest.raises(redis.AuthenticationError):
        ana.ping()
    assert ben.ping()
    assert room("init --roster roster.csv") == 0  # does not let her in
    with pytest.raises(redis.AuthenticationError):
        client_of(students()["ana"]).ping()
    assert room("on ana@example.org") == 0
    assert client_of(students()["ana"]).lpop("ana.q") == b"kept"


def test_a_pair_shares_a_user(room, students, capsys):
    assert room("add ana+ben") == 0
    url = capsys.readouterr().out.splitlines()[-1]
    assert url == students()["ana-ben"]
    client_of(url).rpush("hotqueue:ana-ben.q", "from ana")
    assert client_of(url).lpop("hotqueue:ana-ben.q") == b"from ana"
    assert room("add ana+ben") == 1
    assert "already, as ana-ben" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, message",
    [
        ("off zoe", "no student 'zoe' is in classroom/students.csv"),
        ("status --in elsewhere", "no class is in the folder elsewhere"),
        ("init --roster none.csv", "no such file"),
    ],
)
def test_what_is_not_there_is_reported(room, capsys, words, message):
    assert room(words) in (1, 2)
    assert message in capsys.readouterr().err


def test_a_name_of_two_students_is_not_guessed(class_redis, room, students, capsys, tmp_path):
    (tmp_path / "two.csv").write_text("name\nMei Li\nMei Li\n")
    assert room("init --roster two.csv") == 0
    assert room("init --roster two.csv") == 0
    assert [user for user in students() if user.startswith("mei")] == ["mei-li", "mei-li-2"]
    from jobs_kit.cli import main

    assert main(["classroom", "off", "Mei Li"]) == 2
    assert "name a user: mei-li, mei-li-2" in capsys.readouterr().err


def test_the_status_tells_who_waits(room, students, capsys, until):
    urls = students()
    client_of(urls["bob"], db=1).rpush("hotqueue:bob.words", 1, 2, 3)
    waiting = client_of(urls["ana"], socket_timeout=None)
    connection = waiting.connection_pool.get_connection()
    connection.send_command("BLPOP", "hotqueue:ana.q", 0)

    def rows():
        room("status --json")
        return {one["user"]: one for one in json.loads(capsys.readouterr().out)["students"]}

    until(lambda: rows()["ana"]["waiting"] == 1)
    assert rows()["bob"]["queues"] == {"words": 3}
    assert rows()["siobhan"] == {
        "name": "O'Brien, Siobhán",
        "user": "siobhan",
        "is_out": False,
        "connections": 0,
        "waiting": 0,
        "silent_seconds": None,
        "queues": {},
    }
    room("off bob-2")
    capsys.readouterr()
    assert room("status") == 0
    lines = capsys.readouterr().out
    assert re.search(r"Ana Silva +ana +1 +1 +\d+ s ago\n", lines)
    assert re.search(r"Bob Smith +bob +[-1] .* words 3\n", lines)
    assert re.search(r"Bob Smith +bob-2 +locked out", lines)
    assert re.search(r"of 7 students are connected\. .* Memory: \d+ of \d+ MB\.", lines)
    connection.disconnect()


def test_the_end_removes_what_init_made_and_nothing_else(class_redis, room, students, tmp_path):
    admin = class_redis.connect()
    admin.execute_command("ACL", "SETUSER", "theirs", "on", ">x", "+ping")
    admin.config_set("tcp-keepalive", "77")  # changed since, so it stays
    for db in (0, 1, 5):
        client_of(students()["ana"], db=db).rpush("hotqueue:ana.q", "x")
        class_redis.connect(db=db).mset({"anab.x": 1, "ana": 1, "hotqueue:ana": 1, "x.ana.y": 1})
    ana = client_of(students()["ana"])
    assert ana.ping()
    assert room("end") == 0
    with pytest.raises((redis.AuthenticationError, redis.ConnectionError)):
        ana.ping()
    assert set(admin.acl_users()) == {"default", "kit", "theirs"}
    assert [class_redis.connect(db=db).dbsize() for db in (0, 1, 5)] == [4, 4, 4]
    settings = admin.config_get("*")
    assert (settings["maxmemory"], settings["proto-max-bulk-len"]) == ("0", "536870912")
    assert settings["tcp-keepalive"] == "77"
    assert not (tmp_path / "classroom").exists()
    assert room("end") == 1


def test_an_interrupted_end_can_be_repeated(class_redis, room, monkeypatch, tmp_path):
    def interrupt(*_):
        raise KeyboardInterrupt

    for function in ("delete_keys", "restore_settings"):
        with monkeypatch.context() as patch:
            patch.setattr(setup, function, interrupt)
            room("end")
        assert (tmp_path / "classroom" / "students.csv").exists()
    assert room("end") == 0
    assert class_redis.connect().config_get("maxmemory")["maxmemory"] == "0"


def test_a_class_on_a_server_of_the_kit_keeps_its_passwords(classroom, students, tmp_path, capsys):
    with running(tmp_path, "--roster", "roster.csv", "--port", "0", "--host", "127.0.0.1"):
        urls = students()
        client_of(urls["ana"]).rpush("ana.q", "x")
        anyone = redis.Redis(port=client_of(urls["ana"]).connection_pool.connection_kwargs["port"])
        with pytest.raises(redis.AuthenticationError):
            anyone.ping()
        options = {"single_connection_client": True, "socket_timeout": 30}
        flood = [client_of(urls["bob"], **options) for _ in range(guard.MOST + 1)]
        with pytest.raises(redis.ConnectionError):  # closed, and not timed out
            flood[0].connection.read_response()
        assert client_of(urls["ana"]).ping()
        assert classroom("add zoe@example.org") == 0 and classroom("off bob") == 0
        (tmp_path / "more.csv").write_text("name\nYara\n")
        assert classroom("run --roster more.csv") == 0  # the server goes on
        assert client_of(students()["yara"]).ping() and students()["ana"] == urls["ana"]
        assert classroom("run --roster more.csv --port 0") == 2
        assert "runs already, at port" in capsys.readouterr().err
        more = {user: students()[user] for user in ("yara", "zoe")}
    with running(tmp_path, "--host", "127.0.0.1") as program:
        assert students() == urls | more
        assert client_of(students()["zoe"]).ping()
        with pytest.raises(redis.AuthenticationError):
            client_of(urls["bob"]).ping()
        assert classroom("end") == 0
        assert program.wait(30) == 0
    assert not (tmp_path / "classroom").exists()


@pytest.mark.parametrize(
    "clients, greedy",
    [
        ([("ana", 2e4)] * 101 + [("ben", 2e4)] * 100, ["ana"]),
        ([("ana", 2e6)] * 10 + [("ben", 2e6)] * 4, ["ana"]),
        ([("default", 0)] * 101 + [("kit", 2e7)], ["default"]),
    ],
)
def test_users_who_take_too_much_are_found(clients, greedy):
    listed = [{"user": user, "tot-mem": str(int(size))} for user, size in clients]
    assert [user for user, *_ in guard.greedy_users(listed, "kit")] == greedy


@contextlib.contextmanager
def running(folder, *options):
    """Run `jobs-kit classroom run` in a folder, until the context ends."""
    command = [sys.executable, "-m", "jobs_kit.cli", "classroom", "run", *options]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as program:
        try:
            lines = iter(program.stdout.readline, "")
            assert any(line.startswith("Redis listens at 127.0.0.1:") for line in lines)
            yield program
        finally:
            program.terminate()
        assert program.wait(30) == 0
