"""Somebody watches: on the kit's own Redis by listening, on one of others by looking."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import psutil
import pytest
import redis
from class_server import is_quiet, set_user
from hotqueue import HotQueue

from jobs_kit.lab import watch_queue
from jobs_kit.queue_watch import evidence_file, queue_listener
from jobs_kit.queue_watch import watch as module
from jobs_kit.queue_watch.evidence import NOTHING
from jobs_kit.queue_watch.watch import Watch
from jobs_kit.redis_server.address import RedisNotFoundError, Server
from jobs_kit.redis_server.server import StandIn, start_server

pytestmark = pytest.mark.redis_server
CLASS = "on >secret ~ana.* ~hotqueue:ana.* resetchannels -@all +rpush +blpop +lpop +llen +select"
SEES = CLASS + " +lrange +client|list"


@pytest.fixture
def own():
    """A server of the kit's with nothing in it."""
    server = start_server()
    yield server
    server.stop()


@pytest.fixture
def named(own, monkeypatch):
    """The same, named by the environment."""
    for name in [name for name in os.environ if name.startswith(("JOBS_KIT_", "REDIS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REDIS_URL", own.url)
    monkeypatch.setenv("JOBS_KIT_ADMIN_URL", own.admin_url)
    return own


@pytest.fixture
def on_class(own, monkeypatch):
    """on_class(rules): the same server, as ana of a class sees it, named by the environment."""

    def share(rules):
        set_user(own.connect(), "ana", rules)
        monkeypatch.delenv("JOBS_KIT_PREFIX", raising=False)
        monkeypatch.setenv("REDIS_URL", f"redis://ana:secret@127.0.0.1:{own.port}")
        return Server(os.environ["REDIS_URL"])

    return share


@pytest.fixture
def watch(tmp_path):
    """watch(server): a Watch that ends with the test; its folder is tmp_path."""
    watches = []

    def start(server):
        watches.append(Watch(server, tmp_path))
        return watches[-1]

    yield start
    for one in watches:
        one.stop()


@pytest.fixture
def seen(tmp_path, until):
    """seen(): what is known of the one queue, up to this moment, and the watch that knows it."""
    words = iter(range(1000))

    def look(key="hotqueue:some_queue"):
        for _ in range(2):
            found = evidence_file.ask_watches(tmp_path, f"word {next(words)}", 10)
        one = found[-1]
        return next((queue for queue in one["queues"] if queue["key"] == key), {}) | {"watch": one}

    return look


def queue_on(server, name="some_queue", **options):
    options = {"serializer": json, "db": 1, "socket_timeout": None} | options
    return HotQueue(name, **options, **server.address)


def consume(queue):
    """Consume in a thread, until the server ends."""

    def loop():
        with contextlib.suppress(redis.RedisError):
            for _ in queue.consume():
                pass

    threading.Thread(target=loop, daemon=True).start()


def blocked(own):
    return sum("b" in one["flags"] for one in own.connect().client_list())


def do_the_exercise(server, own, until, seen, key):
    """Do all steps; return what was seen in the end."""
    name = key.removeprefix("hotqueue:")
    producer, consumer = queue_on(server, name), queue_on(server, name)
    producer.put("one", "two", "three")
    assert len(producer) == 3
    assert seen(key)["most"] == 3
    consume(consumer)
    until(lambda: blocked(own) == 1)
    assert seen(key)["settled"]
    until(lambda: is_quiet(own.connect()))
    seen(key)
    producer.put("four")
    until(lambda: not len(producer) and blocked(own) == 1)
    return seen(key)


def test_all_is_heard_on_the_kits_own_server(own, watch, until, seen):
    watch(own)
    known = do_the_exercise(own, own, until, seen, "hotqueue:some_queue")
    assert known["taken"] == ['"one"', '"two"', '"three"']
    assert known["in_order"] and known["by_another"] and known["all_taken"]
    assert known["at_once"] == ['"four"']
    assert known["asked_length"] >= 1 and known["waiters"] == 1
    assert list(known["watch"]["asked_at"].values()) == [[[1, "hotqueue:some_queue"]]]


def test_much_is_seen_on_a_class_server(own, on_class, watch, until, seen):
    server = on_class(SEES)
    watch(server)
    known = do_the_exercise(server, own, until, seen, "hotqueue:ana.some_queue")
    assert known["taken"] == ['"one"', '"two"', '"three"']
    assert known["in_order"] and known["by_another"] and known["all_taken"]
    assert known["at_once"] == ["(message 4)"]
    assert known["asked_length"] is None
    assert known["watch"]["asked_at"] == {}


def test_where_little_is_allowed_the_length_is_seen(on_class, watch, seen):
    server = on_class(CLASS)
    watch(server)
    queue = queue_on(server, "ana.some_queue")
    queue.put("one", "two", "three")
    messages = ["(message 1)", "(message 2)", "(message 3)"]
    assert seen("hotqueue:ana.some_queue")["waited"] == messages
    queue.get(), queue.get(), queue.get()
    assert seen("hotqueue:ana.some_queue")["all_taken"]


def test_where_messages_are_not_shown_the_wrong_end_is_seen(own, on_class, watch, until, seen):
    server = on_class(CLASS + " +rpop +client|list")
    watch(server)
    queue_on(server, "ana.some_queue").put("one", "two", "three")
    until(lambda: is_quiet(own.connect()))
    seen()
    consumer = redis.Redis(**server.address, db=1)
    consumer.rpop("hotqueue:ana.some_queue", 3)
    known = seen("hotqueue:ana.some_queue")
    assert known["taken"] == ["(message 3)", "(message 2)", "(message 1)"]
    assert not known["in_order"]
    consumer.close()


def test_a_user_without_monitor_polls(own, watch, seen, until):
    watch(Server(own.url))  # as a foreign server: without the kit's own user
    queue_on(own).put("one", "two", "three")
    assert seen()["most"] == 3 and seen()["asked_length"] is None
    # the connection that asked in vain may take a moment to close
    until(lambda: not any(one["cmd"] == "monitor" for one in own.connect().client_list()))


def test_a_stand_in_is_looked_at(watch, until, seen):
    server = StandIn(0)
    watch(server)
    queue = queue_on(server)
    queue.put("one", "two", "three")
    assert seen()["most"] == 3
    queue.get(), queue.get(), queue.get()
    assert seen()["all_taken"]
    server.stop()


def test_on_a_class_server_only_your_usual_queue_is_looked_at(own, on_class, watch, seen):
    watch(on_class(SEES.replace("~hotqueue:ana.*", "~hotqueue:*") + " +scan +info"))
    own.connect().config_resetstat()
    for name in ("ben.some_queue", "ana.some_queue"):
        queue_on(own, name).put("one")
    assert seen("hotqueue:ana.some_queue")["length"] == 1
    assert [queue["key"] for queue in seen()["watch"]["queues"]] == ["hotqueue:ana.some_queue"]
    commands = own.connect().info("commandstats")
    assert not {"cmdstat_scan", "cmdstat_info", "cmdstat_monitor"} & set(commands)


def test_earlier_messages_are_seen(own, watch, seen):
    queue_on(own).put("one", "two", "three")
    watch(own)
    assert seen()["most"] == 3


def test_a_consumer_that_was_there_before_is_told_from_one_elsewhere(own, watch, until, seen):
    consume(queue_on(own))
    consume(queue_on(own, "some_other_queue"))
    until(lambda: blocked(own) == 2)
    watch(own)
    queue_on(own).put("one")
    queue_on(own, "some_other_queue").put("two")
    until(lambda: blocked(own) == 2)
    assert seen()["at_once"] == ['"one"'] and seen()["waiters"] == 1
    assert seen("hotqueue:some_other_queue")["at_once"] == ['"two"']


def test_a_consumer_that_was_killed_gets_nothing(own, watch, until, seen):
    watch(own)
    code = (
        "import json; from hotqueue import HotQueue; "
        f"HotQueue('some_queue', serializer=json, db=1, **{own.address}).get(block=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: blocked(own) == 1)
    assert seen()["watch"]["asked_at"]
    process.kill()
    process.wait()
    until(lambda: blocked(own) == 0)
    queue_on(own).put("one")
    assert seen()["waiting"] == ['"one"'] and not seen()["at_once"]


def test_a_key_that_is_no_list_is_no_obstacle(own, watch, seen):
    own.connect(db=1).set("hotqueue:some_queue", "text")
    watching = watch(own)
    own.connect(db=1).hset("hotqueue:other", "a", "b")
    queue_on(own, "letters").put("one")
    assert seen("hotqueue:letters")["length"] == 1
    assert watching.is_watching


def test_a_long_queue_is_not_followed(own, watch, seen):
    watching = watch(own)
    queue_on(own, "long").put(*range(queue_listener.MOST + 1))
    queue_on(own).put("one")
    assert seen()["length"] == 1
    assert not seen("hotqueue:long").get("key")
    assert watching.is_watching


def test_it_steps_aside_on_a_busy_server(own, watch, until, seen, monkeypatch):
    monkeypatch.setattr(queue_listener, "BUSY", 100)
    monkeypatch.setattr(module, "REST_SECONDS", 0.2)
    watch(own)
    listens = lambda: any(one["cmd"] == "monitor" for one in own.connect().client_list())  # noqa: E731
    queue = queue_on(own, "busy")
    until(lambda: queue.put("x") or (queue.get() and not listens()))
    until(listens)
    queue_on(own).put("one")
    assert seen()["length"] == 1


def test_it_goes_on_when_redis_was_away(own, watch, seen, until):
    watching = watch(own)
    queue_on(own).put("one")
    seen()
    own.stop(keep=True)
    own.start()
    until(lambda: seen()["waiting"] == [])
    queue_on(own).put("two", "three", "four")
    assert seen()["most"] == 3
    assert watching.is_watching


def test_a_redis_that_never_answers_is_no_traceback(own, tmp_path, capfd):
    own.stop()
    watching = Watch(own, tmp_path)
    watching.stop()
    assert evidence_file.read_watches(tmp_path)[-1]["queues"] == []
    assert capfd.readouterr().err == ""


def test_it_ends_when_nothing_happens_for_long(own, watch, seen, until, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.5)
    watching = watch(own)
    until(lambda: not watching.is_watching)
    assert not evidence_file.read_watches(tmp_path)[-1]["watching"]
    # the connection that asked in vain may take a moment to close
    until(lambda: not any(one["cmd"] == "monitor" for one in own.connect().client_list()))
    assert repr(watching).startswith("No longer watching")


def test_two_watches_write_side_by_side(own, watch, tmp_path, seen):
    watch(own), watch(own)
    queue_on(own).put("one")
    seen()
    assert [one["queues"][0]["length"] for one in evidence_file.read_watches(tmp_path)] == [1, 1]


def test_old_evidence_stays_and_makes_room(own, watch, tmp_path, seen):
    one = {"server": "", "prefix": "", "process": [socket.gethostname(), -1], "asked_at": {}}
    queue = {"db": 1, "key": "hotqueue:old", **NOTHING}
    old = [one | {"id": str(n), "queues": [queue]} for n in range(9)]
    empty = one | {"id": "gone", "queues": [], "watching": True}
    (tmp_path / evidence_file.EVIDENCE).write_text(json.dumps({"watches": [*old, empty]}))
    watch(own)
    ids = [one["id"] for one in evidence_file.read_watches(tmp_path)]
    assert ids[:-1] == [str(n) for n in range(9)][-evidence_file.KEPT :]


def test_a_folder_that_cannot_be_written_is_no_obstacle(own, tmp_path):
    watching = Watch(own, tmp_path / "nowhere")
    queue_on(own).put("one")
    assert watching.is_watching
    watching.stop()


def test_a_killed_process_is_not_waited_for(named, tmp_path, until):
    code = f"import time; from jobs_kit.lab import watch_queue; watch_queue({str(tmp_path)!r})"
    process = subprocess.Popen(
        [sys.executable, "-c", code + "; print('on', flush=True); time.sleep(99)"]
    )
    until(lambda: any(map(evidence_file.is_alive, evidence_file.read_watches(tmp_path))))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not any(map(evidence_file.is_alive, evidence_file.ask_watches(tmp_path, "word", 60)))


def test_a_page_has_one_watch_for_a_folder(named, tmp_path, own):
    first = watch_queue(tmp_path)
    assert watch_queue(tmp_path) is first
    assert repr(first) == f"Watching your queues, for the exercise {tmp_path.name}"
    first.stop()
    again = watch_queue(tmp_path)
    assert again is not first and again.is_watching
    again.stop()


def test_where_no_redis_is_named_it_says_what_to_do(monkeypatch, tmp_path):
    for name in ("REDIS_URL", "REDIS_HOST", "REDIS_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RedisNotFoundError, match="find_redis"):
        watch_queue(tmp_path)


def test_it_costs_little_while_nothing_happens(own, watch):
    watch(own)
    process = psutil.Process()
    own.connect().ping()
    before = process.cpu_times()
    threading.Event().wait(2)
    after = process.cpu_times()
    assert after.user + after.system - before.user - before.system < 0.4
    assert redis.Redis(**own.address).info("commandstats")["cmdstat_exec"]["calls"] < 10
