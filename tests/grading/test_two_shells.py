"""What is done in two shells is judged by what Redis shows: right ones pass, wrong ones do not."""

import pytest
from cases import for_each, sessions
from sessions import Session

from jobs_kit.course.exercise import find_exercise

pytestmark = pytest.mark.redis_server
TWO_SHELLS = find_exercise("two_shells")


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Return a function that plays a case; what it leaves running ends with the test."""
    folder = tmp_path / "two_shells"
    folder.mkdir()
    played = []

    def play(case):
        played.append(Session(case, folder, monkeypatch))
        played[-1].play()
        return played[-1]

    yield play
    for session in played:
        session.close()


@for_each("case", sessions("wrong"))
def test_a_wrong_session_is_rejected_for_its_own_reason(judge, case, play):
    verdict = judge.check(TWO_SHELLS, play(case).folder)
    outcomes = {check.name: check.outcome for check in verdict.checks}
    assert outcomes.pop(case.rejected_by) == case.outcome, str(verdict)
    assert set(outcomes.values()) <= {"pass", "not reached"}, str(verdict)
    assert case.says in str(verdict), str(verdict)


@for_each("case", sessions("right"))
def test_a_right_session_is_accepted(judge, case, play):
    verdict = judge.check(TWO_SHELLS, play(case).folder)
    assert verdict.passed, str(verdict)


def right(name="in_two_terminals"):
    return next(case for case in sessions("right") if case.name == name)


def test_nothing_done_is_not_attempted(judge, play):
    session = play(Nothing())
    verdict = judge.check(TWO_SHELLS, session.folder)
    assert verdict.outcome == "not attempted"
    assert "no message is on hotqueue:some_queue (db 1)" in str(verdict)


def test_nothing_done_and_no_watch_explains_how_to_watch(judge, play):
    verdict = judge.check(TWO_SHELLS, play(Nothing(watched=False)).folder)
    assert verdict.outcome == "not attempted"
    assert "jobs-kit check two_shells --watch" in str(verdict)


def test_where_no_redis_is_named_it_says_what_to_do(judge, tmp_path, monkeypatch):
    for name in ("REDIS_URL", "REDIS_HOST", "REDIS_PORT"):
        monkeypatch.delenv(name, raising=False)
    verdict = judge.check(TWO_SHELLS, tmp_path)
    assert verdict.outcome == "not attempted"
    assert "no Redis is named here" in str(verdict) and "find_redis()" in str(verdict)


def test_a_worker_that_waits_elsewhere_is_no_attempt(judge, play):
    worker = {"shell": "consumer", "waiting": 1}
    worker["type"] = "HotQueue('queue', {where}, db=1, socket_timeout=None).get(block=True)"
    verdict = judge.check(TWO_SHELLS, play(Nothing(watched=False, step=[worker])).folder)
    assert verdict.outcome == "not attempted", str(verdict)


@pytest.mark.parametrize("elsewhere", ["nowhere", "at another server"])
def test_an_instructor_sees_what_was_seen(judge, play, monkeypatch, elsewhere):
    session = play(right())
    folder = session.folder
    session.close()
    if elsewhere == "nowhere":
        for name in ("REDIS_URL", "REDIS_HOST", "REDIS_PORT"):
            monkeypatch.delenv(name, raising=False)
    else:
        play(Nothing(watched=False))
    verdict = judge.check(TWO_SHELLS, folder)
    assert verdict.passed, str(verdict)
    assert "this is not the Redis that you worked on" in str(verdict)


def test_what_was_seen_is_no_excuse_for_what_is_there_now(judge, play):
    session = play(right())
    session.do({"shell": "consumer", "press": "Ctrl-C"})
    session.do({"shell": "producer", "type": "q.put('left')"})
    verdict = judge.check(TWO_SHELLS, session.folder)
    assert verdict.outcome == "fail" and '1 on it: "left"' in str(verdict)


def test_a_redis_that_has_ended_is_reported(judge, play):
    session = play(Nothing(step=[{"shell": "producer", "type": "q.put(1, 2, 3)"}]))
    session.server_stops()
    verdict = judge.check(TWO_SHELLS, session.folder)
    assert verdict.outcome == "fail"
    assert "has ended" in str(verdict) and "still running?" in str(verdict)


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2",
        '{"watches": 7}',
        "[]",
        "[" * 100_000,
        '{"watches": [{"queues": 3}, {}, null, 7]}',
        '{"watches": [{"id": "a", "server": "b", "prefix": "", "process": ["c", 1], '
        '"asked_at": {}, "watching": true, "queues": [{"db": "1", "key": 7, "most": "many"}]}]}',
        '{"watches": [{"id": "a", "server": "b", "prefix": "", "process": "cd", "asked_at": 7, '
        '"watching": true, "queues": []}]}',
    ],
)
def test_evidence_that_cannot_be_read_is_none(judge, tmp_path, redis_url, text):
    (tmp_path / ".evidence.json").write_text(text)
    verdict = judge.check(TWO_SHELLS, tmp_path)
    assert verdict.outcome == "not attempted", str(verdict)


def test_an_invalid_address_is_reported(judge, tmp_path, monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("REDIS_PORT", "many")
    verdict = judge.check(TWO_SHELLS, tmp_path)
    assert verdict.outcome == "not attempted" and "REDIS_PORT is 'many'" in str(verdict)


@pytest.mark.parametrize("kind", ["in_two_terminals", "on_a_class_redis"])
def test_neither_the_watch_nor_the_check_writes_to_redis(judge, play, kind):
    session = play(right(kind))
    judge.check(TWO_SHELLS, session.folder)
    students = {"rpush", "llen", "blpop", "select", "hello", "ping", "client|setinfo"}
    ours = {"lrange", "scan", "client|list", "info", "monitor", "echo", "multi", "exec", "auth"}
    # a server asks itself for its configuration when it starts
    known = students | ours | {"acl|setuser", "config|get"}
    # Redis 6.2 counts all subcommands of a command together
    known |= {name.partition("|")[0] for name in known}
    assert {name.removeprefix("cmdstat_") for name in session.called()} <= known


class Nothing:
    """A case in which nothing happens."""

    def __init__(self, **table):
        self.table = {"step": []} | table
