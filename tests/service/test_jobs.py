"""A job and its id on the queue change together, and only in the permitted ways."""

import json
import os
import sys
import threading
import uuid

import pytest
import redis
from faulty_proxy import FaultyProxy

pytestmark = pytest.mark.redis_server
YEAR = ("2012-01-01", "2012-12-31")

# Claims one job, prints its id, and waits to be killed.
VICTIM = "from jobs_kit.jobs import next_job; print(next_job()['id']); input()"


@pytest.fixture
def jobs(service):
    return service("jobs")


def statuses(jobs, jid):
    return [status for _, status in jobs.get_history(jid)]


def queued(jobs):
    return [json.loads(text) for text in jobs.rd.lrange("hotqueue:queue", 0, -1)]


def test_importing_the_service_opens_no_connection(run):
    code = "import socket; socket.socket.connect = None; import jobs_kit, jobs_kit.{}; print('ok')"
    for module in ("jobs", "api", "worker", "lab", "cli"):
        assert run("-c", code.format(module)).communicate()[0] == "ok\n"


def test_add_job_saves_the_job_and_queues_its_id(jobs):
    job = jobs.add_job(*YEAR)
    assert job == {"id": job["id"], "status": "submitted", "start": YEAR[0], "end": YEAR[1]}
    assert uuid.UUID(job["id"]).version == 4
    stored = jobs.rd.hgetall(f"job.{job['id']}")
    assert {name: stored[name.encode()].decode() for name in job} == job
    assert queued(jobs) == [job["id"]]
    assert jobs.get_job(job["id"]) == job
    assert statuses(jobs, job["id"]) == ["submitted"]
    assert jobs.rd.ttl(f"job.{job['id']}") == -1  # a job that waits does not expire


def test_ids_differ_and_the_newest_job_is_listed_first(jobs):
    ids = [jobs.add_job(*YEAR)["id"] for _ in range(5)]
    assert len(set(ids)) == 5
    assert [job["id"] for job in jobs.list_jobs()] == ids[::-1]
    assert [job["id"] for job in jobs.list_jobs(limit=2)] == ids[:2:-1]


def test_an_expired_job_leaves_the_list_of_all_jobs(jobs):
    old = jobs.add_job(*YEAR)["id"]
    jobs.rd.delete(f"job.{old}")  # as Redis does when it expires
    new = jobs.add_job(*YEAR)["id"]
    assert [job["id"] for job in jobs.list_jobs()] == [new]
    assert jobs.rd.zrange("jobs", 0, -1) == [new.encode()]


def test_a_prefix_starts_every_key(jobs, service, monkeypatch):
    monkeypatch.setenv("JOBS_KIT_PREFIX", "ana.")
    del jobs
    sys.modules.pop("jobs_kit.jobs")
    jobs = service("jobs")
    jid = jobs.add_job(*YEAR)["id"]
    jobs.stop_working(jobs.next_job()["id"], {"days": 1})
    keys = {key.decode() for key in jobs.rd.keys("*")}
    assert keys and all(key.startswith(("ana.", "hotqueue:ana.")) for key in keys)
    assert jobs.get_job(jid)["status"] == "complete"


def test_next_job_starts_one_job_and_finishes_the_one_before(jobs):
    first, second = jobs.add_job(*YEAR)["id"], jobs.add_job(*YEAR)["id"]
    job = jobs.next_job()
    assert job == {"id": first, "status": "in progress", "start": YEAR[0], "end": YEAR[1]}
    assert jobs.get_job(first)["status"] == "in progress"
    job = jobs.next_job(finished=job, result={"days": 366}, plot=b"\x89PNG")
    assert job["id"] == second
    assert jobs.get_job(first)["status"] == "complete"
    assert jobs.get_outcome(first) == ({"days": 366}, None)
    assert jobs.get_plot(first) == b"\x89PNG"
    assert jobs.next_job(finished=job, result=ValueError("no such day"), block=False) is None
    assert jobs.get_job(second)["status"] == "failed"
    assert jobs.get_outcome(second) == (None, "no such day")
    assert jobs.get_plot(second) is None
    assert statuses(jobs, first) == ["submitted", "in progress", "complete"]
    assert statuses(jobs, second) == ["submitted", "in progress", "failed"]
    times = [at for at, _ in jobs.get_history(second)]
    assert times == sorted(times) and times[0] > 1_700_000_000


def test_next_job_without_finishing_returns_the_same_job(jobs):
    jid = jobs.add_job(*YEAR)["id"]
    jobs.add_job(*YEAR)
    assert jobs.next_job()["id"] == jobs.next_job()["id"] == jid
    assert statuses(jobs, jid) == ["submitted", "in progress"]


def test_next_job_waits_for_a_job(jobs):
    threading.Timer(0.3, jobs.add_job, YEAR).start()
    assert jobs.next_job(timeout=5)["start"] == YEAR[0]
    jobs.stop_working()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("start is late"), "start is late"),
        (KeyError("x"), "KeyError: 'x'"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (ValueError(), "ValueError"),
        (ValueError("x" * 5000), "x" * 1000),
        (ValueError("é\x00\ud800"), "é\x00?"),
    ],
)
def test_a_job_that_raises_fails_with_its_message(jobs, error, message):
    jid = jobs.add_job(*YEAR)["id"]
    jobs.stop_working(jobs.next_job(), error)
    assert jobs.get_job(jid)["status"] == "failed"
    assert jobs.get_outcome(jid)[1] == message


@pytest.mark.parametrize("result", [object(), {"x": float("nan")}, {1, 2}])
def test_a_result_that_json_cannot_express_fails_the_job(jobs, result):
    jid = jobs.add_job(*YEAR)["id"]
    jobs.stop_working(jobs.next_job(), result)
    assert jobs.get_job(jid)["status"] == "failed"
    assert "not JSON" in jobs.get_outcome(jid)[1]


def test_a_job_expires_counted_from_its_end(jobs, monkeypatch):
    monkeypatch.setenv("JOBS_KIT_JOB_EXPIRES", "100")
    complete, failed, updated = (jobs.add_job(*YEAR)["id"] for _ in range(3))
    job = jobs.next_job(finished=jobs.next_job(), result={})
    assert jobs.rd.ttl(f"job.{failed}") == -1
    jobs.next_job(finished=job, result=ValueError("no"))
    jobs.update_job_status(updated, "complete")
    for jid in (complete, failed, updated):
        assert 90 < jobs.rd.ttl(f"job.{jid}") <= 100


def test_only_the_permitted_changes_of_status_are_made(jobs):
    permitted = {
        "submitted": {"submitted", "in progress"},
        "in progress": {"in progress", "complete", "failed"},
        "complete": {"complete"},
        "failed": {"failed"},
    }
    ways = {"submitted": [], "in progress": ["in progress"]}
    ways |= {end: ["in progress", end] for end in ("complete", "failed")}
    for old, way in ways.items():
        for new in jobs.STATUSES:
            jid = jobs.add_job(*YEAR)["id"]
            for status in way:
                jobs.update_job_status(jid, status)
            if new in permitted[old]:
                jobs.update_job_status(jid, new)
                assert jobs.get_job(jid)["status"] == new
            else:
                with pytest.raises(ValueError, match=f"is {old}; it cannot become {new}"):
                    jobs.update_job_status(jid, new)
                assert jobs.get_job(jid)["status"] == old


def test_setting_a_status_twice_is_setting_it_once(jobs):
    jid = jobs.add_job(*YEAR)["id"]
    jobs.update_job_status(jid, "in progress")
    jobs.update_job_status(jid, "in progress")
    assert statuses(jobs, jid) == ["submitted", "in progress"]


def test_the_status_of_an_unknown_job_cannot_be_set_and_none_appears(jobs):
    with pytest.raises(jobs.UnknownJobError, match="no job nobody"):
        jobs.update_job_status("nobody", "in progress")
    with pytest.raises(ValueError, match="'done' is not a status"):
        jobs.update_job_status("nobody", "done")
    assert jobs.rd.keys("*") == []
    assert jobs.get_job("nobody") is None
    assert jobs.get_history("nobody") == []


def test_a_message_that_is_not_the_id_of_a_job_becomes_a_dead_letter(jobs):
    jobs.q.put("nobody", {"an": "object"}, "")
    jobs.rd.rpush("hotqueue:queue", "{broken")
    jid = jobs.add_job(*YEAR)["id"]
    assert jobs.next_job()["id"] == jid
    letters = jobs.q.dead_letters()
    assert [letter["message"] for letter in letters] == [
        '"nobody"',
        '{"an": "object"}',
        '""',
        "{broken",
    ]
    assert {letter["reason"] for letter in letters} == {"there is no such job"}


def test_an_id_that_is_queued_twice_is_one_job(jobs):
    jid = jobs.add_job(*YEAR)["id"]
    jobs.q.put(jid)
    job = jobs.next_job()
    other = []
    thread = threading.Thread(target=lambda: other.append(jobs.next_job(block=False)))
    thread.start()
    thread.join()
    assert other == [None]  # the first worker holds it
    jobs.q.put(jid)
    assert jobs.next_job(finished=job, result={"days": 1}, block=False) is None  # it is complete
    assert statuses(jobs, jid) == ["submitted", "in progress", "complete"]
    assert jobs.q.dead_letters() == []


def test_a_job_whose_status_was_set_by_hand_is_still_done(jobs):
    jid = jobs.add_job(*YEAR)["id"]
    jobs.update_job_status(jid, "in progress")
    jobs.stop_working(jobs.next_job(), {"days": 1})
    assert jobs.get_job(jid)["status"] == "complete"


def test_a_job_that_was_ended_by_hand_keeps_that_status(jobs):
    acknowledged, given_back = jobs.add_job(*YEAR)["id"], jobs.add_job(*YEAR)["id"]
    job = jobs.next_job()
    jobs.update_job_status(acknowledged, "failed")
    jobs.next_job(finished=job, result={"days": 1})
    jobs.update_job_status(given_back, "complete")
    jobs.stop_working()
    assert jobs.get_job(acknowledged)["status"] == "failed"
    assert jobs.get_outcome(acknowledged) == (None, None)
    assert jobs.get_job(given_back)["status"] == "complete"


def test_only_the_claimed_job_can_be_finished(jobs):
    first, second = jobs.add_job(*YEAR), jobs.add_job(*YEAR)
    jobs.next_job()
    assert jobs.next_job(finished=second, result={"days": 1})["id"] == first["id"]
    assert jobs.get_job(first["id"])["status"] == "in progress"
    assert jobs.get_job(second["id"])["status"] == "submitted"


def test_the_queue_keeps_statuses_right_for_a_decorated_function_too(jobs):
    jid = jobs.add_job(*YEAR)["id"]

    @jobs.q.worker(block=False)
    def execute_job(jid):
        assert jobs.get_job(jid)["status"] == "in progress"
        jobs.update_job_status(jid, "in progress")

    execute_job()
    assert jobs.get_job(jid)["status"] == "complete"


def test_stop_working_requeues_the_claimed_job(jobs):
    jid = jobs.add_job(*YEAR)["id"]
    jobs.next_job()
    jobs.stop_working()
    assert queued(jobs) == [jid]
    assert statuses(jobs, jid) == ["submitted", "in progress", "submitted"]


def test_a_job_whose_worker_died_three_times_fails_and_is_a_dead_letter(service, run, monkeypatch):
    monkeypatch.setenv("JOBS_KIT_LEASE", "0.3")
    jobs = service("jobs")
    jid = jobs.add_job(*YEAR)["id"]
    for _ in range(3):
        victim = run("-c", VICTIM)
        assert victim.stdout.readline().strip() == jid
        victim.kill()
    assert jobs.next_job(timeout=2) is None
    assert jobs.get_job(jid)["status"] == "failed"
    assert jobs.get_outcome(jid)[1] == "3 workers died while they held it"
    assert [json.loads(letter["message"]) for letter in jobs.q.dead_letters()] == [jid]
    assert statuses(jobs, jid) == ["submitted", "in progress"] * 3 + ["failed"]


def test_adding_a_job_requeues_that_of_a_dead_worker(service, run, until, monkeypatch):
    monkeypatch.setenv("JOBS_KIT_LEASE", "0.5")
    jobs = service("jobs")
    jid = jobs.add_job(*YEAR)["id"]
    victim = run("-c", VICTIM)
    assert victim.stdout.readline().strip() == jid
    victim.kill()
    until(lambda: jobs.add_job(*YEAR) and jobs.get_job(jid)["status"] == "submitted")
    assert queued(jobs)[0] == jid


def test_a_lost_reply_to_add_job_neither_loses_nor_doubles_it(service, redis_url, monkeypatch):
    for how in ("close", "swallow"):
        seen = []

        def lose(request, number, seen=seen, how=how):
            if b"\r\nadd\r\n" in request:
                seen.append(number)
                return how if len(seen) == 1 else None

        parts = redis.connection.parse_url(redis_url)
        proxy = FaultyProxy(parts["host"], parts["port"], lose)
        monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{proxy.port}/{parts['db']}")
        sys.modules.pop("jobs_kit.jobs", None)
        jobs = service("jobs")
        jobs.rd.flushdb()
        jobs.q.step("look")  # Redis knows the script now
        jid = jobs.add_job(*YEAR)["id"]
        assert len(seen) == 2  # the reply was lost, and the step taken again
        assert queued(jobs) == [jid]
        assert statuses(jobs, jid) == ["submitted"]
        proxy.close()


def test_one_round_trip_to_enqueue_and_one_for_each_job(service, redis_url, monkeypatch):
    parts = redis.connection.parse_url(redis_url)
    proxy = FaultyProxy(parts["host"], parts["port"])
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{proxy.port}/{parts['db']}")
    monkeypatch.setenv("JOBS_KIT_LEASE", "600")  # no heartbeat while we count
    jobs = service("jobs")
    jobs.rd.ping()
    jobs.stop_working(jobs.add_job(*YEAR) and jobs.next_job(), {})  # the script is known now
    before = len(proxy.requests)
    for _ in range(50):
        jobs.add_job(*YEAR)
    assert len(proxy.requests) - before == 50
    job = jobs.next_job()
    before = len(proxy.requests)
    for _ in range(49):
        job = jobs.next_job(finished=job, result={"days": 1}, plot=b"\x89PNG" * 100)
    assert len(proxy.requests) - before == 49
    jobs.stop_working(job, {})
    assert {job["status"] for job in jobs.list_jobs(100)} == {"complete"}
    proxy.close()


def test_a_forked_process_is_a_separate_worker(jobs):
    first, second = jobs.add_job(*YEAR)["id"], jobs.add_job(*YEAR)["id"]
    assert jobs.next_job()["id"] == first
    child = os.fork()
    if child == 0:
        os._exit(0 if jobs.next_job()["id"] == second else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_job_dict_contains_only_strings(jobs):
    job = jobs._instantiate_job("a", b"submitted", "2012", b"2013")
    assert job == {"id": "a", "status": "submitted", "start": "2012", "end": "2013"}
