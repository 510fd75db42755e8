"""A service that was published and little tested: each of its defects, found by what it does.

Some hide others. What only shows once another defect is mended comes out as "not reached".
"""

import re
from contextlib import suppress

from jobs_kit.grading import CheckError, Exercise, addresses, expect, jid_of, points, service

FILES = ("api.py", "jobs.py", "worker.py")
GOOD = {"start": "2012-01-01", "end": "2012-03-31"}
MALFORMED = (b'{"start": "2012-01-01", "end": ', b"start=2012-01-01")
NO_JOB = ({}, {"start": "2012-01-01"}, {"end": "2012-03-31"}, None, [], "start and end", 7)
NO_DATES = ({"start": None, "end": None}, {"start": "2012-01-01", "end": ["2012-03-31"]})
NO_PLAN = ("AttributeError", "TypeError", "NameError", "UnboundLocalError", "IndexError")
NO_PLAN += ("RecursionError", "DataError", "ResponseError", "ConnectionError", "SystemExit")
ON_PURPOSE = re.compile(r"(^|:\s*)(raise|assert)\b")


def is_attempted(source):
    """Tell whether any file that is there differs, as a tree, from what was handed out."""
    texts = source.handed_out()
    return any(
        name not in FILES or not source.equals(name, texts[name]) for name in source.modules()
    )


EXERCISE = Exercise(
    __file__,
    number=120,
    lesson="ask_for_status_and_results",
    title="Find the bugs of a published service",
    files=FILES,
    changes={"the service": ()},
    is_attempted=is_attempted,
    hints=(
        "Use the service as its clients do, one request at a time, and read the last line of each "
        "traceback. Where nothing raises, look into Redis before and after one step. And read who "
        "can reach the API, and where it looks for Redis.",
        "Follow one job. What does the view return for what it can't use? Is each name that "
        "add_job(), update_job_status() and execute_job() call defined? What does the update "
        "write, and under which key? Which line starts the worker?",
        'return {"error": …}, 400; helpers with their underscore; import jobs, import time; '
        "execute_job() as the last line; rd.exists(key) asked before rd.hset(key, ...); a key made "
        "of the jid that came in; hset(key, mapping=…); no debug=True; os.environ for both "
        "clients.",
    ),
)


RUN, TAKEN = "test_the_files_can_be_run", "test_a_good_job_is_taken"
ENDS, ONE_KEY = "test_an_update_comes_to_its_end", "test_an_update_makes_no_second_key"


def post(submission, api):
    """POST a good job, which must be taken, saved and queued; return (response, id)."""
    response = api.post("/jobs", GOOD)
    expect(
        response.is_taken,
        "200 (or 201, 202): there is nothing wrong with this job",
        call=response,
        hint="Each line of yours in the traceback calls the next. What does the last line say, "
        + (
            "and where would Python look for that?"
            if "NameError" in response.outcome_text
            else "and what does the call that stands there take?"
        ),
    )
    queued = submission.redis.put_messages()
    ids = response.possible_ids()
    jid = next((jid for jid in ids if any(jid.encode() in message for message in queued)), None)
    steps = "How many of the steps of add_job() are still done? Compare them with its docstring."
    expect(queued, "the id of the job is put on the queue", call=response, hint=steps)
    expect(
        jid,
        "the answer tells the id of the job, the same one that is on the queue",
        call=response,
        hint="What does add_job() return, and how much of it arrives at the client?",
    )
    expect(
        submission.redis.records_of(jid),
        "the job is saved: its id, status, start and end",
        call=response,
        got=f"{response.outcome_text}\nand no such job is saved",
        hint=steps,
    )
    return response, jid


def expect_refused(submission, api, bodies, hint):
    """POST each of these; each must be answered with 400 or 422, and change nothing."""
    for body in bodies:
        before = submission.redis.state()
        response = service.expect_refused(api, body, hint)
        expect(
            submission.redis.state() == before,
            "what is refused changes nothing in Redis: no job, no message more or less",
            call=response,
            got=f"{response.outcome_text}\nand Redis is not as it was before",
            hint="Which comes first in the view: the look at what came, or the call that saves?",
        )


# The API


@points(1)
def test_the_files_can_be_run(submission):
    """Python can read the three files, and the API starts"""
    submission.source.require()
    submission.serve()


@points(2, after=RUN)
def test_a_good_job_is_taken(submission, api):
    """POST /jobs takes a good job, saves it and queues its id"""
    post(submission, api)


@points(1, after=RUN)
def test_malformed_json_is_refused(submission, api):
    """POST /jobs answers 400 to a body that is not JSON"""
    expect_refused(
        submission,
        api,
        MALFORMED,
        lambda response: (
            "What may a Flask view return, so that the client gets a status code? Compare this "
            "with what the view returns on the way that this request takes."
            if response.status < 500 or "valid response" in response.outcome_text
            else "What does the line that reads the body make of one that is no JSON, and is the "
            "next line ready for that?"
        ),
    )


@points(1, after=RUN)
def test_a_body_that_is_no_job_is_refused(submission, api):
    """POST /jobs answers 400 to JSON that has no start or no end"""
    hint = "This body is valid JSON. What is it in Python, and what does the view do with it next?"
    expect_refused(submission, api, NO_JOB, hint)
    if api.post("/jobs", GOOD).status < 500:  # or these might come upon another defect
        expect_refused(submission, api, NO_DATES, hint)


@points(1, after=TAKEN)
def test_the_answer_says_that_it_is_json(submission, api):
    """The answer to a good job says that it is JSON"""
    response, _ = post(submission, api)
    expect(
        response.content_type.endswith("json"),
        "the content type application/json",
        call=response,
        hint="For what does a browser take this answer? What does Flask make of a text, and what "
        "of a dict?",
    )


@points(1, after=RUN)
def test_the_network_gets_no_console(submission, api):
    """Nobody else on the network is offered the debugger, which runs any Python they type"""
    serving = api.serving
    expect(
        not serving["use_debugger"] or addresses.is_loopback(serving["host"]),
        "the debugger is off, or nobody but this computer can reach the server",
        call="python api.py",
        got=f"the API listens at {serving['host']}, and its debugger is on",
        hint="Which two settings say who can reach the server, and what they see when a request fails?",
    )


# The jobs


@points(2, after=TAKEN)
def test_redis_is_where_the_environment_says(submission):
    """Every client follows REDIS_HOST and REDIS_PORT"""
    for host, port in addresses.PLACES:
        where = {"REDIS_HOST": host, "REDIS_PORT": port, "REDIS_IP": host}
        where["REDIS_URL"] = f"redis://{host}:{port}"
        call = submission.call("jobs", "add_job", *GOOD.values(), **where)
        expect(call.error is None, "it works with any address", call=call, hint=call.hint)
        expect_address(call.process, host, port)
    worker = submission.start("worker.py", **where)
    submission.settle(worker)
    expect_address(worker, host, port)


def expect_address(process, host, port):
    """Expect that a process has looked for Redis there and nowhere else."""
    addresses.expect_address(
        process,
        host,
        port,
        call=f"REDIS_HOST={host} REDIS_PORT={port}, then {process.call_text}",
        hint="How many clients does this service make, and from where does each get its host and its "
        "port?",
    )


@points(1, after=TAKEN)
def test_no_command_is_a_deprecated_one(submission, api):
    """A job is saved by commands that Redis does not call deprecated"""
    _, jid = post(submission, api)
    with suppress(CheckError):  # what is wrong with an update is for another check
        service.set_status(submission, jid, "in progress")
    old = [command for command in submission.redis.commands if command.name == "HMSET"]
    expect(
        not old,
        "no command that is deprecated: HMSET has been so since Redis 4.0",
        call="POST /jobs, then update_job_status(): what they sent to Redis",
        got="\n".join(map(str, old)),
        hint="Which method of the client sends this command? Its docstring, or a run with "
        "python -W always, names the one that took its place.",
    )


@points(1, after=RUN)
def test_an_update_comes_to_its_end(submission):
    """update_job_status() comes to its end for a job that is there"""
    expect(
        "update_job_status" in submission.source.definitions(),
        "jobs.py defines update_job_status(jid, status), as it did when it was handed out",
        hint="Who else uses this name, and what becomes of them when it is gone?",
    )
    call = submission.call("jobs", "add_job", *GOOD.values())
    jid = None if call.error else jid_of(call.value)
    call = service.set_status(submission, jid or service.UNKNOWN, "in progress")
    wrong = call.error and (jid or call.error["type"] in ("NameError", "UnboundLocalError"))
    expect(
        not wrong,
        "it comes back" if jid else "every name that it uses is defined",
        call=call,
        hint=call.hint,
    )


@points(1, after=(TAKEN, ENDS))
def test_an_update_makes_no_second_key(submission, api):
    """An update changes the job that is there, and makes no second one"""
    _, jid = post(submission, api)
    keys = {record.key for record in submission.redis.records_of(jid)}
    call = service.set_status(submission, jid, "in progress")
    new = [record.key for record in submission.redis.records_of(jid) if record.key not in keys]
    expect(
        not new,
        "the job stands under one key, before and after",
        call=call,
        got=f"it was under {' and '.join(keys)}; since the update it is under {' and '.join(new)}, too",
        hint="Print the second key. What was the type of the id that it was made from, and on which "
        "line did it become that?",
    )


@points(2, after=(TAKEN, ENDS, ONE_KEY))
def test_the_status_follows_the_update(submission, api):
    """After an update a job has the new status, and all else that it had"""
    _, jid = post(submission, api)
    before = submission.redis.records_of(jid)[0]
    for status in ("in progress", "complete"):
        call = service.set_status(submission, jid, status)
        now = [record.fields for record in submission.redis.records_of(jid)]
        expect(
            now and now[0]["status"] == status,
            f"the status of the job in Redis is then: {status}",
            call=call,
            got=f"{call.outcome_text}\nand the status in Redis is {now[0]['status'] if now else 'gone'}",
            hint="Print the status in the first line of the function, and again in the line that saves. "
            "Who gave it another value in between?"
            if now
            else "What stands at the key of the job now? Which command changes one field of what "
            "is there, and which puts something else in its place?",
        )
    kept = {name: text for name, text in before.fields.items() if name != "status"}
    expect(
        {name: now[0].get(name) for name in kept} == kept,
        f"everything but the status stays: {kept}",
        call=call,
        got=f"{call.outcome_text}\nand the job is now {now[0]}",
        hint="Redis answers with bytes. Which line writes them back, and as what?"
        if kept.keys() <= now[0].keys()
        else "Which fields does the line that saves know of, and what becomes of the others?",
    )


@points(1, after=ENDS)
def test_an_unknown_id_is_seen(submission):
    """update_job_status() sees that there is no job with an id, and makes none"""
    keys = submission.redis.keys()
    call = service.set_status(submission, service.UNKNOWN, "in progress")
    error = call.error or {"type": None, "frames": []}
    on_purpose = [bool(ON_PURPOSE.search(frame["text"])) for frame in error["frames"][-1:]]
    expect(
        error["type"] != "SystemExit",
        "one job that is missing does not end the program",
        call=call,
        hint="Who calls this function, and what becomes of them when it exits?",
    )
    expect(
        error["type"] not in NO_PLAN or on_purpose == [True],
        "it says so by an exception that it raises on purpose, or returns",
        call=call,
        hint="Is there a line that was meant for this case? Is it ever reached: what does the "
        "function hold at the line before?",
    )
    expect(
        submission.redis.keys() == keys,
        "nothing in Redis has changed: there is no such job",
        call=call,
        got=f"{call.outcome_text}\nand afterwards Redis holds a job of that id",
        hint="hset() makes the key that it doesn't find. Which line asks first whether it is there?",
    )


# The worker


@points(1, after=RUN)
def test_the_worker_waits_for_jobs(submission):
    """python worker.py is a program that waits at the queue and does not end"""
    worker = service.run_worker(submission)
    expect(
        worker.running,
        "it waits for the next job, until somebody stops it",
        call=worker,
        hint="Which line of worker.py begins to work? To define a function is not yet to run it."
        if worker.exit_code == 0
        else worker.hint,
    )
    expect(
        submission.redis.pops(),
        "it asks its queue for messages",
        call=worker.call_text,
        got="it runs, and has not asked",
        hint="What is execute_job, once @q.worker stands above it?",
    )


@points(
    2,
    after=(
        TAKEN,
        ENDS,
        ONE_KEY,
        "test_the_status_follows_the_update",
        "test_the_worker_waits_for_jobs",
    ),
)
def test_the_worker_completes_jobs(submission, api, note):
    """The worker executes one job after the other: in progress, then complete"""
    worker = submission.start("worker.py")
    for _ in range(2):
        _, jid = post(submission, api)
        submission.settle(worker)
        history = submission.redis.history(jid)
        expect(
            history == ["submitted", "in progress", "complete"] and worker.running,
            "the job goes from submitted to in progress to complete, and the worker goes on",
            call="POST /jobs, while python worker.py runs",
            got=f"status: {' → '.join(history)}; the worker {'runs' if worker.running else 'has ended'}"
            f", and printed\n{worker.printed_text}",
            hint=_hint_for_worker(worker, history),
        )
    submission.note_socket_timeout(worker, note, "worker")


def _hint_for_worker(worker, history):
    """Return a question that leads from the statuses of a job to its cause."""
    if not worker.running:
        return (
            "What would bring it back to the queue when a job is done?"
            if worker.exit_code == 0
            else "Which names does the line use at which it ended, and which names do the imports "
            "at the top of worker.py make?"
        )
    if history[-1:] == ["in progress"]:
        return "What stands between the two updates? If an exception is raised there, who shows it?"
    return "Which line of execute_job() sets each status?"
