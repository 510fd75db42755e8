"""`jobs-kit classroom init` creates users, and never a second one for the same student."""

import json
import os
import stat
from urllib.parse import urlsplit

import pytest
import redis
from hotqueue import HotQueue

from jobs_kit.classroom.user_names import user_name

pytestmark = pytest.mark.redis_server

# of the roster in conftest.py, in its order
USERS = ["ana", "siobhan", "lukasz-zizek", "student", "ana-silva", "bob", "bob-2"]


def client_of(url, **options):
    return redis.Redis.from_url(url, **options)


def queue_of(url, name):
    parts = urlsplit(url)
    where = {"host": parts.hostname, "port": parts.port}
    login = {"username": parts.username, "password": parts.password}
    name = f"{parts.username}.{name}"
    return HotQueue(name, serializer=json, db=1, socket_timeout=None, **where, **login)


def test_each_student_of_the_roster_gets_a_queue(class_redis, classroom, students, tmp_path):
    assert classroom("init --roster roster.csv") == 0
    assert list(students()) == USERS
    for url in students().values():
        queue_of(url, "some_queue").put("hello")
        assert queue_of(url, "some_queue").get(block=True, timeout=5) == "hello"
    for name in ("students.csv", "classroom.json"):
        assert stat.S_IMODE(os.stat(tmp_path / "classroom" / name).st_mode) == 0o600


def test_a_longer_roster_keeps_the_passwords(class_redis, classroom, students, tmp_path, capsys):
    classroom("init --roster roster.csv")
    before = students()
    lines = (tmp_path / "roster.csv").read_text(encoding="utf-8").splitlines()
    lines[1:] = [*reversed(lines[1:]), "Zoë,zoe@example.org"]
    (tmp_path / "roster.csv").write_text("\n".join(lines), encoding="utf-8")
    assert classroom("init --roster roster.csv --host redis.example") == 0
    assert "1 new user, 7 as before" in capsys.readouterr().out
    after = {user: url.replace("redis.example", "127.0.0.1") for user, url in students().items()}
    assert after == before | {"zoe": after["zoe"]}


def test_names_that_the_server_has_are_not_taken(class_redis, classroom, students):
    admin = class_redis.connect(db=3)
    admin.execute_command("ACL", "SETUSER", "bob", "on", ">theirs", "+ping")
    admin.set("ana.theirs", "1")
    admin.rpush("hotqueue:siobhan.theirs", "1")
    classroom("init --roster roster.csv")
    assert {"ana-2", "siobhan-2", "bob-2", "bob-3"} < set(students())
    assert not {"ana", "siobhan", "bob"} & set(students())


@pytest.mark.parametrize(
    "text, user",
    [
        ("Łukasz Žižek", "lukasz-zizek"),
        ("Søren Ægir", "soren-aegir"),
        ("Nguyễn Thị Ánh", "nguyen-thi-anh"),
        ("O’Brien, Siobhán", "obrien-siobhan"),
        ("Straße", "strasse"),
        ("ana.b*?[x]@example.org", "ana-b-x"),
        ("Guðrún Þórsdóttir", "gudrun-thorsdottir"),
        ("李雷", "student"),
        ("default", "default-2"),
        ("ana", "ana-3"),
        ("x" * 99, "x" * 28),
    ],
)
def test_user_names_are_plain(text, user):
    assert user_name([text], {"ana", "ana-2"}) == user


def test_a_roster_that_now_has_logins_makes_no_student_twice(
    class_redis, classroom, students, tmp_path
):
    (tmp_path / "roster.csv").write_text("name\nMei Li\nMei Li\n")
    classroom("init --roster roster.csv")
    lines = ["mail,name", "mei@a.example,Mei Li", "li@a.example,Mei Li", "third@a.example,Mei Li"]
    (tmp_path / "roster.csv").write_text("\n".join(lines))
    for _ in range(2):
        classroom("init --roster roster.csv")
        assert list(students()) == ["mei-li", "mei-li-2", "third"]


@pytest.mark.parametrize(
    "lines, message, users",
    [
        (["ana@example.org"], "its first line must name the columns", []),
        (["name"], "no student is below the first line, 'name'", []),
        (["Ana Silva", "Bob Smith"], "'Ana Silva', counts as names of columns", ["bob-smith"]),
        (["sep=;", "Nom;Prénom", "Silva;Ana", ";"], "", ["silva-ana"]),
        (["name,mail", "Ana,ana@a.example", "ANA,Ana@A.example"], "", ["ana"]),
        (["name,id", "Ana,7", "Ana,8", "Ana,007"], "", ["ana", "ana-2"]),
        (["Student,SIS Login ID", "Points Possible,", '"Silva, Ana",'], "", ["silva-ana"]),
    ],
)
def test_rosters(class_redis, classroom, students, tmp_path, capsys, lines, message, users):
    (tmp_path / "roster.csv").write_text("\n".join(lines), encoding="utf-8")
    assert classroom("init --roster roster.csv") == (0 if users else 2)
    assert message in capsys.readouterr().err
    assert not users or list(students()) == users


@pytest.mark.parametrize(
    "url, message",
    [
        ("", "no Redis is named: set REDIS_URL"),
        ("redis://127.0.0.1:1", "Connection refused"),
        ("unix:///tmp/redis.sock", "names no host"),
    ],
)
def test_a_server_that_cannot_have_a_class_is_reported(
    classroom, monkeypatch, tmp_path, capsys, url, message
):
    monkeypatch.setenv("REDIS_URL", url)
    assert classroom("init --roster roster.csv") in (1, 2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "classroom").exists()


@pytest.mark.parametrize(
    "rights, message",
    [
        ("-acl", "may not manage users"),
        ("-info", "needs a user who may run ACL, CLIENT, CONFIG, INFO"),
        ("-scan", "needs a user who may run ACL, CLIENT, CONFIG, INFO"),
    ],
)
def test_an_administrator_without_rights_is_reported(
    class_redis, classroom, capsys, monkeypatch, rights, message
):
    monkeypatch.setenv("REDIS_URL", administrator(class_redis, rights))
    class_redis.connect().set("theirs", 1)
    assert classroom("init --roster roster.csv") in (1, 2)
    assert message in capsys.readouterr().err
    assert class_redis.connect().acl_users() == ["boss", "default", "kit"]


def test_a_server_that_keeps_its_settings_has_a_class_without_limits(
    class_redis, classroom, students, capsys, monkeypatch
):
    monkeypatch.setenv("REDIS_URL", administrator(class_redis, "-config"))
    assert classroom("init --roster roster.csv") == 0
    assert "it refuses maxmemory-policy, " in capsys.readouterr().err
    assert client_of(students()["ana"]).ping()
    assert classroom("status") == 0 and classroom("end") == 0


def administrator(server, rights):
    """Return the REDIS_URL of a user who may do everything but for these rights."""
    server.connect().execute_command(
        "ACL", "SETUSER", "boss", "on", ">x", "~*", "&*", "+@all", rights
    )
    return f"redis://boss:x@127.0.0.1:{server.port}"


def test_the_queues_of_one_student_can_be_deleted(classroom, class_redis, students, capsys):
    classroom("init --roster roster.csv")
    for user in ("bob", "bob-2"):
        queue_of(students()[user], "some_queue").put("one", "two")
    assert classroom("off bob --clear") == 0
    assert "deleted queues: 1" in capsys.readouterr().out
    assert class_redis.connect(db=1).keys() == [b"hotqueue:bob-2.some_queue"]
    assert classroom("off bob-2") == 0
    assert "queues stay without --clear" in capsys.readouterr().out
    assert class_redis.connect(db=1).llen("hotqueue:bob-2.some_queue") == 2
