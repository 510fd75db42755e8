"""The board watches a real queue: which messages are put, taken, done and lost."""

import json
import os
import signal
import threading
import time

import pytest
import redis
from class_server import set_user
from hotqueue import HotQueue

from jobs_kit.lab.board import board as module
from jobs_kit.lab.board.board import show_board
from jobs_kit.lab.programs import start_program
from jobs_kit.queue_watch.picture import depth
from jobs_kit.queues import ReliableQueue
from jobs_kit.redis_server import find
from jobs_kit.redis_server.server import StandIn, start_server

pytestmark = pytest.mark.redis_server
SECONDS = 20

# as students write it, with a time-out so that it ends
WORKER = """
import json, os, sys, time
import redis
from hotqueue import HotQueue
where = {"host": os.environ["REDIS_HOST"], "port": int(os.environ["REDIS_PORT"])}
q = HotQueue("some_queue", serializer=json, **where, db=1, socket_timeout=None)
rd = redis.Redis(**where, db=0)

@q.worker
def execute_job(jid):
    rd.hset(f"job.{jid}", "status", "in progress")
    time.sleep(0.1)
    if jid == "bad":
        rd.hset(f"job.{jid}", mapping={"status": "failed", "error": "no such dates"})
    elif jid != "left":
        rd.hset(f"job.{jid}", "status", "complete")

execute_job()
"""


@pytest.fixture
def use():
    """use(server) lets find_redis() find a Server, empty, as in a lesson."""
    before = dict(os.environ)

    def name(server, url=None):
        for variable in before:
            if variable.startswith(("REDIS_", "JOBS_KIT_")):
                os.environ.pop(variable, None)
        os.environ["REDIS_URL"] = url or server.url
        if not url:
            os.environ |= {"JOBS_KIT_ADMIN_URL": server.admin_url, "JOBS_KIT_ORIGIN": "a test"}
        find._found = None
        server.connect().flushall()
        return server

    yield name
    for board in list(module._open):
        board.close()
    find._found = None
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def lesson(use, server):
    """The Server of a lesson."""
    return use(server)


@pytest.fixture
def queue(lesson):
    """queue("some_queue") is a HotQueue as the lessons make it, with its own connection."""

    def make(name="some_queue"):
        return HotQueue(name, serializer=json, **lesson.address, db=1, socket_timeout=None)

    return make


def texts(board, place):
    """Return the texts of the messages in a place of the picture, or in a worker's hand."""
    picture = board.picture
    workers = picture["workers"]
    messages = picture[place] if place in picture else workers.get(place, {"holds": []})["holds"]
    return [picture["messages"][message]["text"] for message in messages]


def words(board, text):
    """Return the words of a message's timeline."""
    known = board.picture["messages"].values()
    return next([step[1] for step in one["steps"]] for one in known if one["text"] == text)


def events(board, *kinds):
    return [event for event in board.recording.events if event["did"] in kinds]


def counts(board):
    return tuple(board.picture["counts"][name] for name in ("done", "failed", "taken"))


def test_it_shows_what_is_put_who_takes_it_and_what_is_done(queue, until):
    q = queue()
    q.put("old")
    board = show_board("some_queue")
    q.put("a", {"b": 1}, 3)
    until(lambda: texts(board, "waiting") == ["old", "a", '{"b": 1}', "3"])
    assert board.picture["producers"] == {"notebook": 3}
    taker = queue()
    assert taker.get() == "old"
    until(lambda: texts(board, "worker-1") == ["old"])
    assert taker.get() == "a"
    until(lambda: texts(board, "done") == ["old"] and texts(board, "worker-1") == ["a"])
    assert words(board, "old") == ["found", "taken", "done"]
    assert words(board, "a") == ["put", "taken"]
    assert q.get() == {"b": 1}
    until(lambda: texts(board, "worker-2") == ['{"b": 1}'])


def test_it_takes_nothing_and_leaves_nothing(queue, lesson):
    q = queue()
    q.put("a", "b")
    board = show_board("some_queue")
    board.close()
    assert not board._watcher._thread.is_alive()
    assert [q.get(), q.get(), q.get()] == ["a", "b", None]
    assert lesson.connect(db=1).keys() == []


def test_a_worker_that_waited_before_the_board_came_is_seen(queue, lesson, until, run):
    run("-c", WORKER, REDIS_HOST=lesson.host, REDIS_PORT=str(lesson.port))
    clients = lesson.connect()
    until(lambda: [one["cmd"] for one in clients.client_list()].count("blpop") == 1)
    board = show_board("some_queue")
    waits = {"holds": [], "waits": True, "gone": False, "done": 0}
    assert board.picture["workers"] == {"worker-1": waits}
    queue().put("a", "b")
    until(lambda: texts(board, "done") == ["a", "b"])
    assert {event["who"] for event in events(board, "take")} == {"worker-1"}


def test_a_client_at_another_queue_is_soon_left_out(queue, lesson, until):
    names = ["same_sized", "same_sized", "one_longer_"]  # Redis tells the length of the name
    for name in names:
        threading.Thread(target=queue(name).get, args=(True,), daemon=True).start()
    clients = lesson.connect()
    until(lambda: [one["cmd"] for one in clients.client_list()].count("blpop") == 3)
    board = show_board("some_queue")
    assert len(board.picture["workers"]) == 2
    queue().put("a")
    until(lambda: texts(board, "waiting") == ["a"] and board.picture["workers"] == {})
    assert events(board, "take") == []
    queue("same_sized").put(1, 2)
    queue("one_longer_").put(3)


def test_the_database_of_the_queue_counts_and_not_that_of_the_address(use, server, queue, until):
    use(server, url=f"{server.url}/5")
    board = show_board("some_queue")
    queue().put("a")
    until(lambda: texts(board, "waiting") == ["a"])


def test_jobs_go_their_way(queue, lesson, until, run):
    board, rd = show_board("some_queue"), lesson.connect(db=0)
    for jid in ("good", "bad", "left", "last"):
        job = {"id": jid, "status": "submitted", "start": "2012-01-01", "end": "2012-12-31"}
        rd.hset(f"job.{jid}", mapping=job)
        queue().put(jid)
    run("-c", WORKER, REDIS_HOST=lesson.host, REDIS_PORT=str(lesson.port))
    until(lambda: counts(board) == (2, 2, 0))
    assert words(board, "good") == ["put", "submitted", "taken", "in progress", "complete", "done"]
    failed = [event["why"] for event in events(board, "fail")]
    assert failed == ["no such dates", "its worker went on to the next one and left it in progress"]
    known = next(one for one in board.picture["messages"].values() if one["text"] == "good")
    assert known["job"] == {"status": "complete", "start": "2012-01-01", "end": "2012-12-31"}


def test_jobs_that_wait_already_are_known(queue, lesson):
    lesson.connect(db=0).hset("job.one", mapping={"status": "submitted", "start": "2012-01-01"})
    queue().put("one")
    board = show_board("some_queue")
    assert words(board, "one") == ["found", "submitted"]


def test_the_service_that_loses_nothing_gives_a_message_back(use, server, service, until, run):
    use(server)
    os.environ["JOBS_KIT_LEASE"] = "0.4"
    jobs = service("jobs")
    board = show_board(jobs.q)
    job = jobs.add_job("2012-01-01", "2012-12-31")
    slow = {"JOBS_KIT_JOB_SECONDS": "600", "JOBS_KIT_WORKER_NAME": "ana"}
    worker = run("-m", "jobs_kit.worker", **slow)
    until(lambda: board.picture["workers"].get("ana", {"holds": []})["holds"])
    worker.kill()
    until(lambda: board.picture["workers"]["ana"]["gone"])
    assert texts(board, "ana") == [job["id"]]  # Redis keeps it
    run("-m", "jobs_kit.worker", JOBS_KIT_WORKER_NAME="ben")
    until(lambda: texts(board, "done") == [job["id"]])
    changes = words(board, job["id"])
    assert changes[:4] == ["put", "submitted", "taken", "in progress"]
    assert changes[-4:] == ["taken", "in progress", "complete", "done"]
    assert "back" in changes and board.picture["workers"]["ben"]["done"] == 1
    assert len(events(board, "look")) == 1


def test_the_message_of_a_dead_letter_is_shown(use, server, service, until, run):
    use(server)
    jobs = service("jobs")
    board = show_board(jobs.q)
    jobs.q.put("no such id")
    run("-m", "jobs_kit.worker")
    until(lambda: counts(board) == (0, 1, 0))
    assert events(board, "fail")[0]["why"] == "there is no such job"


def test_a_queue_that_loses_nothing_says_itself_what_is_done(lesson, until):
    board = show_board("some_queue")
    q = ReliableQueue("some_queue", **lesson.address, db=1)
    q.put("a", "b")
    messages = q.consume(timeout=1)
    assert next(messages) == "a"
    until(lambda: texts(board, "waiting") == ["b"] and len(board.picture["workers"]) == 1)
    assert next(messages) == "b"
    until(lambda: texts(board, "done") == ["a"])
    messages.close()  # puts back what it holds
    until(lambda: texts(board, "waiting") == ["b"])
    assert words(board, "b") == ["put", "taken", "back"]


def test_a_queue_of_the_same_name_in_another_database_is_another(queue, lesson, until):
    board = show_board("some_queue")
    elsewhere = HotQueue("some_queue", serializer=json, **lesson.address, db=2)
    elsewhere.put("elsewhere")
    queue().put("here")
    until(lambda: "here" in texts(board, "waiting"))
    assert texts(board, "waiting") == ["here"]
    other = show_board(elsewhere)
    assert texts(other, "waiting") == ["elsewhere"]


def test_a_killed_worker_loses_its_message(queue, until):
    board = show_board("some_queue", seconds=600)
    board.start_worker()
    board.put("a", "b")
    until(lambda: board.picture["workers"].get("worker-1", {"holds": []})["holds"])
    board.kill_worker("worker-1")
    until(lambda: texts(board, "failed") == ["a"])
    why = "lost: worker-1 ended while it held the message (killed by SIGKILL)"
    assert [event["why"] for event in events(board, "fail")] == [why]
    until(lambda: board.picture["workers"]["worker-1"]["gone"])
    assert texts(board, "waiting") == ["b"] == [queue().get()]


def test_an_error_ends_a_worker_and_is_quoted(lesson, until):
    board = show_board("some_queue", seconds=0, failure="poison")
    program = board.start_worker()
    board.put("good")
    board.fail()
    until(lambda: counts(board) == (1, 1, 0))
    assert program.wait(SECONDS) == 1
    assert "(RuntimeError: cannot do 'poison')" in events(board, "fail")[0]["why"]


def test_programs_of_the_lesson_keep_their_names(lesson, until):
    board = show_board("some_queue")
    os.environ |= {"REDIS_HOST": lesson.host, "REDIS_PORT": str(lesson.port)}
    program = start_program(code=WORKER, name="my worker")
    until(lambda: board.picture["workers"].get("my worker", {"waits": False})["waits"])
    program.kill()
    until(lambda: board.picture["workers"]["my worker"]["gone"])


def test_a_program_of_the_student_s_can_be_the_worker(lesson, until, tmp_path):
    (tmp_path / "worker.py").write_text(WORKER)
    os.environ |= {"REDIS_HOST": lesson.host, "REDIS_PORT": str(lesson.port)}
    board = show_board("some_queue", worker=tmp_path / "worker.py", put=lambda t: put(t.upper()))
    put = HotQueue("some_queue", serializer=json, **lesson.address, db=1, socket_timeout=None).put
    board.start_worker()
    board.put("a")
    until(lambda: texts(board, "done") == ["A"] and board.picture["workers"]["worker-1"]["waits"])


def test_a_thousand_messages_and_sixteen_workers_are_counted_right(queue, until):
    board, workers = show_board("some_queue"), 16
    board.put(*[f"message {n}" for n in range(1000)])

    def work():
        for _ in queue().consume(timeout=1):
            time.sleep(0.001)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: counts(board) == (1000, 0, 0))
    taken = [event["text"] for event in events(board, "take")]
    assert taken == [f"message {n}" for n in range(1000)]  # in order, each once, none unseen
    assert len(events(board, "look")) == 1  # Redis never had to be asked what was missed
    assert len({event["who"] for event in events(board, "take")}) == workers
    assert len(json.dumps(board.recording.glimpse())) < 60_000


def test_of_a_very_long_queue_the_end_is_counted(queue, until):
    q, many = queue(), 6000
    q.put(*range(many))
    board = show_board("some_queue")
    q.put("last")
    until(lambda: depth(board.picture) == many + 1)
    assert len(board.recording.now["waiting"]) < many
    drained = list(q.consume(block=False))
    until(lambda: depth(board.picture) == 0)
    assert counts(board)[0] + counts(board)[2] >= len(drained) - 1


@pytest.mark.parametrize(
    "command", ["DEL hotqueue:some_queue", "FLUSHDB", "LTRIM hotqueue:some_queue 5 9"]
)
def test_a_queue_that_is_emptied_is_empty(queue, lesson, until, command):
    board = show_board("some_queue")
    queue().put("a", "b")
    until(lambda: depth(board.picture) == 2 and board._watcher._check_due() is None)
    lesson.connect(db=1).execute_command(*command.split())
    until(lambda: depth(board.picture) == 0)
    queue().put("c")
    until(lambda: texts(board, "waiting") == ["c"])


def test_strange_commands_and_messages_do_no_harm(queue, lesson, until):
    board, client = show_board("some_queue"), lesson.connect(db=1)
    key = "hotqueue:some_queue"
    client.rpush(key, "first")
    for command in (["LPOP", key, "x"], ["BLPOP", key, "soon"], ["HSET", key, "a", "b"]):
        with pytest.raises(redis.ResponseError):
            client.execute_command(*command)
    assert client.lpop(key) == b"first"
    client.rpush(key, b"\x80\x04\x95\x05.", b"\xff\x00", '"ö \\" \\n"', "[1,", "x" * 10_000)
    client.linsert(key, "AFTER", "[1,", "between")
    client.rpop(key)
    shown = ["(a pickle of 5 bytes)", "\\xff\x00", 'ö " \n', "[1,", "between"]
    until(lambda: texts(board, "waiting") == shown)
    assert repr(board)


def test_an_unusual_name_is_heard(lesson, queue, until):
    board = show_board('größe "1"')
    queue('größe "1"').put("a")
    until(lambda: texts(board, "waiting") == ["a"])


def test_a_restarted_redis_is_waited_for(use, until):
    own = use(start_server(append_only=True))
    board = show_board("some_queue")
    board.put("a", "b")
    until(lambda: depth(board.picture) == 2)
    own.stop(keep=True)
    until(lambda: board.state == "away")
    assert "Redis      does not answer" in repr(board)
    own.start()
    until(lambda: board.state == "live")
    assert texts(board, "waiting") == ["a", "b"]
    board.put("c")
    until(lambda: texts(board, "waiting") == ["a", "b", "c"])
    board.close()
    own.stop()


ANA = "on >secret ~ana.* ~hotqueue:ana.* resetchannels -@all +rpush +blpop +lpop +llen +select"


@pytest.mark.parametrize("rules", [f"{ANA} +lrange +client|list", f"{ANA} +lrange", ANA])
def test_on_a_shared_redis_it_looks_now_and_then(use, server, until, rules):
    set_user(server.connect(), "ana", rules)
    server.connect().acl_log_reset()
    use(server, url=f"redis://ana:secret@127.0.0.1:{server.port}")
    board = show_board("some_queue", seconds=0.1)
    board.put("a", "b")
    until(lambda: depth(board.picture) == 2)
    assert server.connect(db=1).llen("hotqueue:ana.some_queue") == 2
    sees_texts = "+lrange" in rules
    assert texts(board, "waiting") == (["a", "b"] if sees_texts else ["", ""])
    assert ("does not show the messages" in board.picture["note"]) == (not sees_texts)
    board.start_worker()
    until(lambda: counts(board) == (0, 0, 2))  # by whom is not visible
    if "+client|list" in rules:
        until(lambda: "worker-1   waits" in repr(board))
        board.kill_worker()
        until(lambda: "worker-1   has ended" in repr(board))
    board.close()
    asked_in_vain = {entry["object"] for entry in server.connect().acl_log()}
    assert not asked_in_vain & {"monitor", "scan", "info", "hmget"}
    server.connect().execute_command("ACL", "DELUSER", "ana")


def test_it_works_with_the_stand_in(use, until):
    stand_in = use(StandIn(0))
    board = show_board("some_queue")
    q = HotQueue("some_queue", serializer=json, **stand_in.address, db=1, socket_timeout=None)
    q.put("a")
    until(lambda: texts(board, "waiting") == ["a"])
    board.close()
    stand_in.stop()


def test_nothing_runs_while_nothing_happens(use, until):
    quiet = use(start_server())  # what is left of other tests may still talk to theirs
    board = show_board("some_queue")
    HotQueue("some_queue", serializer=json, db=1, **quiet.address).put("a")
    until(lambda: depth(board.picture) == 1)
    watcher = board._watcher
    until(lambda: watcher._check_due() is None and watcher._shown == board.recording.count)

    def sleeps():  # its own last look may still wake it
        before = watcher.wakes
        time.sleep(2)
        return watcher.wakes == before

    until(sleeps, seconds=10)
    board.close()  # which wakes it for the last time
    assert not watcher._thread.is_alive()
    quiet.stop()


def test_a_worker_that_waits_costs_next_to_nothing(queue, until):
    board = show_board("some_queue")
    threading.Thread(target=queue().get, args=(True, 20), daemon=True).start()
    until(lambda: board.picture["workers"] and board.picture["workers"]["worker-1"]["waits"])
    begun, used, woken = time.monotonic(), time.process_time(), board._watcher.wakes
    until(lambda: board._watcher.wakes >= woken + 3)
    assert (time.process_time() - used) / (time.monotonic() - begun) < 0.05
    queue().put("end")


def test_a_board_gives_way_to_the_next_one_of_its_queue(lesson, until):
    first, other = show_board("some_queue"), show_board("other")
    program = first.start_worker()
    second = show_board("some_queue")
    assert first.state == "closed" and not first._watcher._thread.is_alive()
    assert program.wait(SECONDS) == -signal.SIGKILL
    assert (second.state, other.state) == ("live", "live")
    with pytest.raises(RuntimeError, match="closed; run its cell again"):
        first.start_worker()
    first.close()  # twice is as good as once


def test_a_board_ends_when_its_cell_is_run_again(lesson, monkeypatch):
    runs = iter(
        [("cell 1", "run 1"), ("cell 1", "run 1"), ("cell 2", "run 2"), ("cell 1", "run 3")]
    )
    monkeypatch.setattr(module, "_this_cell", lambda: next(runs))
    boards = [show_board(name) for name in ("a", "b", "c", "d")]
    assert [board.state for board in boards] == ["closed", "closed", "live", "live"]


def test_the_controls_of_the_page_act(lesson, until):
    board = show_board("some_queue", seconds=600, failure="poison")

    def press(**message):
        board.page._handle_custom_msg(message, [])

    press(do="put", text="a", times=3)
    until(lambda: texts(board, "waiting") == ["a 1", "a 2", "a 3"])
    press(do="put", text="", times=None)
    press(do="fail")
    until(lambda: sorted(texts(board, "waiting"))[3:] == ["hello", "poison"])
    press(do="start")
    until(lambda: board.page.controls["workers"] == ["worker-1"])
    until(lambda: texts(board, "worker-1") == ["a 1"] if board.picture["workers"] else False)
    press(do="kill", who="worker-1")
    until(lambda: board.page.controls["workers"] == [])
    until(lambda: board.page.picture["counts"]["failed"] == 1)
    press(do="kill", who="worker-9")
    until(lambda: "no worker 'worker-9' runs; there are: none" in board.page.notice)


def test_the_page_gets_the_news_and_the_picture(queue, until):
    board = show_board("some_queue")
    page, news = board.page, []
    page.observe(lambda change: news.append(change["new"]), names="news")
    first = page.news["last"]
    for text in ("a", "b", "c"):
        queue().put(text)
    until(lambda: page.news["last"] == board.recording.count == first + 3)
    assert [n["first"] for n in news] == [first, *(n["last"] for n in news[:-1])]
    assert [event for n in news for event in n["events"]] == board.recording.events[-3:]
    assert page.picture == board.recording.glimpse()


def test_an_object_that_is_no_queue_is_refused(lesson):
    with pytest.raises(TypeError, match="give the name of a queue, or a HotQueue; got 3"):
        show_board(3)


def test_a_page_about_consumers_calls_them_so(queue, until):
    board = show_board("some_queue", role="consumer")
    queue().put("a")
    queue().get()
    until(lambda: texts(board, "consumer-1") == ["a"])
    assert "1 of 1 consumer busy" in repr(board)
    assert "no consumers" in repr(show_board("empty", role="consumer"))


def test_a_board_without_a_message_that_fails_says_so(queue):
    board = show_board("some_queue", failure=None)
    assert board.page.controls["failure"] is None
    with pytest.raises(RuntimeError, match="no message that fails"):
        board.fail()
