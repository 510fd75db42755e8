"""The recording of a failed check: what the programs of a submission did to a queue and its jobs."""

import json
import pickle
import threading
import time
import uuid
from types import SimpleNamespace

import pytest
from cases import all_cases

from jobs_kit.grading.batch.reports import feedback
from jobs_kit.grading.programs import check_recording
from jobs_kit.grading.programs.check_recording import MOST_BYTES, record
from jobs_kit.grading.programs.redis_recorder import RedisRecorder
from jobs_kit.grading.results import CheckResult, ExerciseResult, SubmissionResult
from jobs_kit.grading.verdict import Verdict
from jobs_kit.queue_watch.picture import apply
from jobs_kit.queue_watch.story import story_lines

KEY, ID = "hotqueue:queue", "0f8fad5b-d9cb-469f-a165-70867728950e"
HELD = "hotqueue:queue:held:ana"
HOSTILE = '</script><script>document.title = "taken"</script>'


@pytest.fixture(scope="module")
def redis():
    recorder = RedisRecorder()
    yield recorder
    recorder.close()


class Programs:
    """Programs that act as a test says, in this process. redis: a RedisRecorder."""

    def __init__(self, redis):
        self.redis, self.processes = redis, []
        redis.reset()

    def start(self, label):
        """Return the redis client of a new program, for database 1, and its process."""
        pid = len(self.processes) + 1
        process = SimpleNamespace(pid=pid, label=label, ended_at=None, exit_code=None, error=None)
        process.events = lambda name: []
        self.processes.append(process)
        connect = self.redis._server.connect
        process.jobs = connect(client_name=f"pid-{pid}")
        process.queue = connect(db=1, client_name=f"pid-{pid}")
        return process

    def end(self, process, exit_code, error=None):
        """End a program."""
        process.exit_code, process.error, process.ended_at = exit_code, error, time.time()

    def wait(self, process, key=KEY):
        """Return a thread in which a program waits for a message, when it does."""
        waiting = len(self.redis.blocked())
        thread = threading.Thread(target=process.queue.blpop, args=(key, 5), daemon=True)
        thread.start()
        while len(self.redis.blocked()) == waiting:
            time.sleep(0.001)
        return thread

    @property
    def sentences(self):
        """The sentences of the recording, the faults with a !"""
        lines = story_lines(record(self), shown=100)
        return [(line[:2] + line.partition(" s  ")[2]).strip() for line in lines]

    def picture(self):
        """Return the picture at the end of the recording."""
        recording = record(self)
        picture = json.loads(json.dumps(recording["start"]))
        for event in recording["events"]:
            apply(picture, event)
        return picture


@pytest.fixture
def programs(redis):
    return Programs(redis)


def save(process, jid=ID, key=None, **fields):
    fields = {"id": jid, "status": "submitted"} | fields
    process.jobs.hset(key or f"job.{jid}", mapping=fields)


def test_an_id_is_lost_with_the_worker_that_takes_it(programs):
    add_job, worker = programs.start("add_job()"), programs.start("worker.py")
    save(add_job)
    add_job.queue.rpush(KEY, json.dumps(ID))
    worker.queue.blpop(KEY)
    programs.end(worker, 1, {"type": "NameError", "message": "name 'time' is\nnot defined"})
    assert programs.sentences == [
        f"add_job() saves status submitted at job.{ID}",
        f"add_job() puts {ID} on the queue",
        f"worker.py takes {ID}",
        f"! {ID} is lost: worker.py ended while it held the message "
        "(NameError: name 'time' is\\nnot defined)",
    ]
    picture = programs.picture()
    assert picture["workers"]["worker.py"]["gone"] and len(picture["failed"]) == 1


def test_an_id_is_lost_even_if_it_is_in_the_record_of_its_job(programs):
    add_job, worker = programs.start("add_job()"), programs.start("worker.py")
    save(add_job)
    add_job.queue.rpush(KEY, ID)
    worker.queue.blpop(KEY)
    save(worker, status="in progress")
    programs.end(worker, -9)
    assert programs.sentences[3:] == [
        f"worker.py sets status in progress at job.{ID}",
        f"! {ID} is lost: worker.py ended while it held the message (killed by SIGKILL)",
    ]


def test_a_status_goes_to_a_ghost_key(programs):
    add_job, worker = programs.start("add_job()"), programs.start("worker.py")
    save(add_job)
    worker.jobs.hset(f"job.b'{ID}'", "status", "in progress")
    worker.jobs.set(f"status:{ID}", "complete")
    assert [line for line in programs.sentences if line.startswith("!")] == [
        f"! worker.py writes status in progress at job.b'{ID}', but the job is at job.{ID}",
        f"! worker.py writes status complete at status:{ID}, but the job is at job.{ID}",
    ]
    marks = {key: record["mark"] for key, record in programs.picture()["records"].items()}
    assert marks == {f"job.{ID}": "", f"job.b'{ID}'": "ghost", f"status:{ID}": "ghost"}


def test_a_status_in_another_database_is_a_ghost(programs):
    add_job = programs.start("add_job()")
    save(add_job)
    add_job.queue.hset(f"job.{ID}", "status", "complete")
    assert programs.sentences[-1].startswith(
        f"! add_job() writes status complete at job.{ID} in database 1, but the job is at job.{ID}"
    )


def test_a_job_is_looked_for_at_another_key(programs):
    api = programs.start("api.py")
    save(api)
    for _ in range(2):
        api.jobs.hgetall(f"job:{ID}")
        api.jobs.hgetall(f"job.{ID}")
    assert programs.sentences[1:] == [f"api.py reads the key job:{ID}, where nothing is stored"]


def test_an_id_is_queued_before_its_job_exists(programs):
    add_job = programs.start("add_job()")
    add_job.queue.rpush(KEY, ID)
    add_job.jobs.set(f"job.{ID}", json.dumps({"id": ID, "status": "submitted"}))
    assert programs.sentences == [
        f"add_job() puts {ID} on the queue",
        f"! no job with the id {ID} is saved yet",
        f"add_job() saves status submitted at job.{ID}",
    ]


@pytest.mark.parametrize("jid", [ID, ID.replace("-", ""), "job-number-1"])
@pytest.mark.parametrize(
    "encoded", [str.encode, json.dumps, pickle.dumps, lambda i: f'{{"id": "{i}"}}']
)
def test_an_id_is_followed_in_whatever_form(programs, jid, encoded):
    add_job, worker = programs.start("add_job()"), programs.start("worker.py")
    save(add_job, jid, key=f"jobs:{jid}")
    add_job.queue.lpush("ids", encoded(jid))
    worker.queue.brpop("ids")
    worker.jobs.hset(f"jobs:{jid}", "status", "complete")
    sentences = programs.sentences
    assert sentences[0] == f"add_job() saves status submitted at jobs:{jid}"
    assert "puts" in sentences[1] and sentences[1].startswith("add_job()") and jid in sentences[1]
    assert sentences[2].startswith("worker.py takes ") and jid in sentences[2]
    assert sentences[3] == f"worker.py sets status complete at jobs:{jid}"
    assert len(programs.picture()["done"]) == 1


def test_commands_of_the_check_itself_are_left_out(programs):
    worker = programs.start("worker.py")
    thread = programs.wait(worker)
    programs.redis.put(1, KEY, ID.encode())
    thread.join()
    programs.redis.client().hset(f"job.{ID}", "status", "complete")
    assert programs.sentences == [
        "worker.py waits for a message",
        f"the check puts {ID} on the queue",
        f"no job with the id {ID} is saved",
        f"worker.py takes {ID}",
    ]


def test_each_message_goes_to_the_program_that_got_it(programs):
    add_job, *workers = (programs.start(name) for name in ("add_job()", "worker.py", "worker.py"))
    threads = [programs.wait(worker) for worker in workers]
    for number in range(2):
        add_job.queue.rpush(KEY, f"m{number}")
        threads[number].join()
    assert programs.sentences[2:] == [
        "add_job() puts m0 on the queue",
        "worker.py takes m0",
        "add_job() puts m1 on the queue",
        "worker.py 2 takes m1",
    ]


def test_a_worker_that_waits_at_another_list_is_reported(programs):
    add_job, worker = programs.start("add_job()"), programs.start("worker.py")
    thread = programs.wait(worker, "hotqueue:jobs")
    save(add_job)
    add_job.queue.rpush(KEY, ID)
    words = f"worker.py waits at hotqueue:jobs in database 1, but the queue is {KEY} in database 1"
    assert f"! {words}" in programs.sentences and programs.picture()["note"] == words
    add_job.queue.rpush("hotqueue:jobs", "end")
    thread.join()


def test_a_message_is_followed_into_the_list_of_its_worker_and_out_of_it(programs):
    put, ana, ben = (programs.start(name) for name in ("put()", "ana", "ben"))
    put.queue.rpush(KEY, '"first"', '"second"')
    for message in ('"first"', '"second"'):
        ana.queue.blmove(KEY, HELD, 1)
        ana.jobs.rpush("check:begun", f"ana {json.loads(message)}")
        if message == '"first"':
            ana.queue.lrem(HELD, 1, message)
    ana.jobs.rpush("check:done", "ana second")
    programs.end(ana, -9)
    ben.queue.lmove(HELD, KEY, "RIGHT", "LEFT")
    assert programs.sentences[2:] == [
        "ana takes first",
        f"Redis keeps first at {HELD} for ana",
        f"ana removes first from {HELD}: Redis keeps it no longer",
        "ana takes second",
        f"Redis keeps second at {HELD} for ana",
        "ana is done with second",
        "! first is lost: ana ended while it held the message (killed by SIGKILL)",
    ]


def test_nothing_is_recorded_where_no_queue_and_no_job_was_touched(programs):
    programs.start("add_job()").jobs.set("counter", "1")
    assert record(programs) is None


def test_a_flood_is_cut_to_its_beginning(programs, monkeypatch):
    monkeypatch.setattr(check_recording, "MOST_HEARD", 1000)
    flood = programs.start("worker.py").queue.pipeline(transaction=False)
    for number in range(3000):
        flood.rpush(KEY, f"{HOSTILE} {number}")
    flood.execute()
    recording = record(programs)
    assert len(json.dumps(recording)) < MOST_BYTES + 1000
    assert "more changes and 2,000 more commands are left out" in recording["events"][-1]["says"]
    assert recording["events"][0]["says"].startswith("worker.py puts </script>")


def result_of(*recordings):
    """Return the ExerciseResult of checks that fail with these recordings."""
    checks = [
        CheckResult(f"test_{number}", f"Claim {number}", "fail", got=ID, recording=recording)
        for number, recording in enumerate(recordings)
    ]
    return ExerciseResult("add_job", "Add a job", checks)


def test_a_page_holds_200_kilobytes_and_tells_what_it_leaves_out(programs):
    worker = programs.start("worker.py")
    for number in range(200):
        worker.queue.rpush(KEY, f"{HOSTILE} {number}")
    result = result_of(*[record(programs)] * 30)
    for page in (
        feedback.page(SubmissionResult("ana", [result])),
        Verdict(result)._repr_html_(),
    ):
        assert len(page.encode()) < 200_000
        assert "check the exercise by itself" in page
    assert feedback.page(SubmissionResult("ana", [result])).count("<script>document") == 0


def test_ids_have_the_names_of_the_rows_above(programs):
    add_job = programs.start("add_job()")
    add_job.queue.rpush(KEY, str(uuid.uuid4()), ID)
    text = str(Verdict(result_of(record(programs))))
    assert "add_job() puts <id 2> on the queue" in text
    assert "add_job() puts <id 1> on the queue" in text and ID not in text


def test_the_judge_records_a_failed_check_and_no_other(judge, tmp_path):
    case = next(one for one in all_cases("wrong") if repr(one) == "add_job/queued_first")
    verdict = judge.check(case.exercise, case.write(tmp_path))
    assert {check.outcome for check in verdict.checks if check.recording} == {"fail"}
    lines = str(verdict).splitlines()
    at = lines.index("  what happened in Redis: The job is saved before its id is queued")
    sentences = [line.partition(" s  ")[2] for line in lines[at + 1 :]]
    assert sentences == [
        "add_job() puts <id 1> on the queue",
        "no job with the id <id 1> is saved yet",
        "add_job() saves status submitted at job.<id 1>",
    ]
    assert "watch it happen" in verdict._repr_html_()
