"""A service that was published and hardly tested: each check finds one of its thirteen bugs.

The first check is for none of them: it starts the service. Some bugs hide others; a check that
another bug makes impossible is "not reached".
"""

import re
from contextlib import suppress

from jobs_kit.grading import (
    CheckError,
    Exercise,
    addresses,
    expect,
    hint_for_not_started,
    jid_of,
    moments,
    points,
    service,
)

FILES = ("api.py", "jobs.py", "worker.py")
GOOD = {"start": "2012-01-01", "end": "2012-03-31"}
MALFORMED = (b'{"start": "2012-01-01", "end": ', b"start=2012-01-01")
NO_JOB = ({}, {"start": "2012-01-01"}, {"end": "2012-03-31"}, None, [], "start and end", 7)
NO_DATES = ({"start": None, "end": None}, {"start": "2012-01-01", "end": ["2012-03-31"]})
NO_PLAN = ("AttributeError", "TypeError", "NameError", "UnboundLocalError", "IndexError")
NO_PLAN += ("RecursionError", "DataError", "ResponseError", "ConnectionError", "SystemExit")
ON_PURPOSE = re.compile(r"(^|:\s*)(raise|assert)\b")


def is_attempted(source):
    """Tell whether any file differs, as a tree, from the published one."""
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
    changes={name: () for name in FILES},
    is_attempted=is_attempted,
    tally=("bugs fixed", "Letter"),
    hints=(
        "Use the service as its clients do, one request at a time, and read the last line of each "
        "traceback. If nothing raises, look into Redis before and after one step. Then read who "
        "can reach the API, and where it looks for Redis.",
        "Follow one job. What does the view return for a bad request? Is each name defined that "
        "add_job(), update_job_status() and execute_job() use? What does the update write, and at "
        "which key? Which line starts the worker?",
        'return {"error": …}, 400; helpers with their underscore; import jobs and time; '
        "execute_job() as the last line; rd.exists(key) before rd.hset(key, ...); a key made from "
        "the jid that was passed in; hset(key, mapping=…); no debug=True; os.environ for both "
        "connections.",
    ),
)


RUN, TAKEN = "test_the_files_can_be_run", "test_a_good_job_is_taken"
ENDS, ONE_KEY = "test_an_update_comes_to_its_end", "test_an_update_makes_no_second_key"


def post(submission, api):
    """POST a good job, which must be accepted, saved and queued; return (response, id)."""
    response = api.post("/jobs", GOOD)
    expect(
        response.is_taken,
        "200 (or 201, 202): this job is good",
        call=response,
        hint="No line defines this name. Is there a definition with a similar name?"
        if "NameError" in response.outcome_text
        else "Look at the last line of the traceback. Which arguments does its call take?",
    )
    queued = submission.redis.put_messages()
    jid = response.job_id
    steps = "Compare add_job() with its docstring. Which of the steps is missing?"
    expect(queued, "the id of the job is put on the queue", call=response, hint=steps)
    expect(
        jid and submission.redis.pushes_of(jid),
        "the response contains the id of the job, the same one that is on the queue",
        call=response,
        hint="add_job() returns a dict with the id. What does the view send to the client?",
    )
    expect(
        submission.redis.status_writes(jid),
        "the job is saved: its id, status, start and end",
        call=response,
        got=f"{response.outcome_text}\nand no job with this id is saved",
        hint=steps,
    )
    return response, jid


def expect_refused(submission, api, bodies, hint=None):
    """POST each of these; each must be refused with 400 or 422, and change nothing.

    hint: a function that returns a question about a response; None for bodies that are JSON.
    """
    for body in bodies:
        before, since = submission.redis.state(), _now(submission)
        response = service.expect_refused(api, body, hint or service.hint_for_bad_job(body))
        expect(
            submission.redis.state() == before,
            "a refused request changes nothing in Redis: no job, no message more or less",
            call=response,
            got=f"{response.outcome_text}\nand Redis has changed",
            hint="Does the view check the body before it calls add_job()?",
        )
        moments.expect_no_ghost(submission, since, response)


def _now(submission):
    """Return the place in the recorded commands where the next one will be."""
    return len(submission.redis.commands)


# The API


@points(1)
def test_the_files_can_be_run(submission):
    """Python can read the three files, and the API starts"""
    submission.source.require()
    submission.serve()


@points(2, after=RUN)
def test_a_good_job_is_taken(submission, api):
    """Letter 2: POST /jobs accepts a good job, saves it and queues its id"""
    response, jid = post(submission, api)
    moments.expect_saved_first(submission, jid, response)


@points(1, after=RUN)
def test_malformed_json_is_refused(submission, api):
    """Letter 1: POST /jobs answers 400 if the body is not JSON"""
    expect_refused(
        submission,
        api,
        MALFORMED,
        lambda response: (
            "A view returns the body first and the status code second. What does this view return "
            "for this request?"
            if response.status < 500 or "valid response" in response.outcome_text
            else "The body is not JSON. What does the line that reads it return then? The next line "
            "uses that."
        ),
    )


@points(1, after=RUN)
def test_a_body_that_is_no_job_is_refused(submission, api):
    """Letter 1: POST /jobs answers 400 if the body is JSON without a start or an end"""
    expect_refused(submission, api, NO_JOB)
    if api.post("/jobs", GOOD).status < 500:  # or these might meet another bug
        expect_refused(submission, api, NO_DATES)


@points(1, after=TAKEN)
def test_the_answer_says_that_it_is_json(submission, api):
    """Letter 4: The response to a good job has the content type application/json"""
    response, _ = post(submission, api)
    expect(
        response.content_type.endswith("json"),
        "the content type application/json",
        call=response,
        hint="Flask sends a string as a web page (text/html), and a dict as JSON. Which of the two "
        "does the view return?",
    )


@points(1, after=RUN)
def test_the_network_gets_no_console(submission, api):
    """Letter 10: The network can't reach the debugger, which runs any Python code"""
    serving = api.serving
    expect(
        not serving["use_debugger"] or addresses.is_loopback(serving["host"]),
        "the debugger is off, or only this computer can reach the server",
        call="python api.py",
        got=f"the API listens at {serving['host']}, and its debugger is on",
        hint="Two settings matter. Which line lets the network in, and which one turns on the "
        "debugger?",
    )


# The jobs


@points(2, after=TAKEN)
def test_redis_is_where_the_environment_says(submission):
    """Letter 3: Every connection to Redis follows REDIS_HOST and REDIS_PORT"""
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
    """Expect that a process looked for Redis there and nowhere else."""
    addresses.expect_address(
        process,
        host,
        port,
        call=f"REDIS_HOST={host} REDIS_PORT={port}, then {process.call_text}",
        hint="The service makes two connections to Redis. Which of them does not take both host and "
        "port from the environment?",
    )


@points(1, after=TAKEN)
def test_no_command_is_a_deprecated_one(submission, api):
    """Letter 9: A job is saved and updated without deprecated commands"""
    _, jid = post(submission, api)
    with suppress(CheckError):  # another check judges the update itself
        service.set_status(submission, jid, "in progress")
    old = [command for command in submission.redis.commands if command.name == "HMSET"]
    expect(
        not old,
        "no deprecated command: HMSET has been deprecated since Redis 4.0",
        call="POST /jobs, then update_job_status(): the commands that they sent to Redis",
        got="\n".join(map(str, old)),
        hint="Which method of redis-py sends this command? Run it with python -W always: the "
        "warning names its replacement.",
    )


@points(1, after=RUN)
def test_an_update_comes_to_its_end(submission):
    """Letters 5 and 6: update_job_status() runs to its end if the job exists"""
    expect(
        submission.source.definitions_like("update_job_status"),
        "jobs.py defines update_job_status(jid, status), as the published file does",
        hint="worker.py calls this function. Where is its definition now?",
    )
    call = submission.call("jobs", "add_job", *GOOD.values())
    jid = None if call.error else jid_of(call.value)
    call = service.set_status(submission, jid or service.UNKNOWN, "in progress")
    wrong = call.error and (jid or call.error["type"] in ("NameError", "UnboundLocalError"))
    expect(
        not wrong,
        "it returns" if jid else "every name that it uses is defined",
        call=call,
        hint=call.hint,
    )


@points(1, after=(TAKEN, ENDS))
def test_an_update_makes_no_second_key(submission, api):
    """Letter 6: An update changes the job that exists, and makes no second one"""
    _, jid = post(submission, api)
    keys, since = {record.key for record in submission.redis.records_of(jid)}, _now(submission)
    call = service.set_status(submission, jid, "in progress")
    new = {record.key for record in submission.redis.records_of(jid)}
    new = sorted((new | moments.keys_written(submission, jid, since)) - keys)
    expect(
        not new,
        "the job is at one key, before and after",
        call=call,
        got=f"it was at {' and '.join(keys)}; the update writes it to {' and '.join(new)}, too",
        hint="Print the second key. It was made from an id in bytes: which line put bytes into jid?",
    )


@points(2, after=(TAKEN, ENDS, ONE_KEY))
def test_the_status_follows_the_update(submission, api):
    """Letter 5: After an update a job has the new status, and its other fields are unchanged"""
    _, jid = post(submission, api)
    before, since = submission.redis.records_of(jid)[0], _now(submission)
    for status in ("in progress", "complete"):
        call = service.set_status(submission, jid, status)
        now = [record.fields for record in submission.redis.records_of(jid)]
        expect(
            now and now[0]["status"] == status,
            f"the status of the job in Redis is now: {status}",
            call=call,
            got=f"{call.outcome_text}\nand the status in Redis is {now[0]['status'] if now else 'gone'}",
            hint="Print the status in the first line of the function, and again in the line that saves. "
            "Which line in between changes it?"
            if now
            else "The key of the job holds something else now. Which command changes one field and "
            "keeps the rest?",
        )
    kept = {name: before.fields.get(name) for name in ("id", "start", "end")}
    expect(
        {name: now[0].get(name) for name in kept} == kept,
        f"everything but the status stays: {kept}",
        call=call,
        got=f"{call.outcome_text}\nand the job is now {now[0]}",
        hint="Redis returns bytes: which line decodes them before they are saved again?"
        if kept.keys() <= now[0].keys()
        else "The line that saves replaces the whole job. Which fields does it leave out?",
    )
    moments.expect_never_missing(submission, jid, since, call)
    history = submission.redis.history(jid)
    expect(
        {*history} <= {"submitted", "in progress", "complete"},
        "the status goes from submitted to in progress to complete",
        call=call,
        got=f"status: {' → '.join(map(repr, history))}",
        hint="Another program may read the status at any time. Which line writes one in between?",
    )


@points(1, after=ENDS)
def test_an_unknown_id_is_seen(submission):
    """Letter 7: update_job_status() notices that no job has this id, and makes none"""
    keys, since = submission.redis.keys(), _now(submission)
    call = service.set_status(submission, service.UNKNOWN, "in progress")
    error = call.error or {"type": None, "frames": []}
    on_purpose = [bool(ON_PURPOSE.search(frame["text"])) for frame in error["frames"][-1:]]
    expect(
        error["type"] != "SystemExit",
        "a missing job doesn't end the program",
        call=call,
        hint="A worker calls this function, and has other jobs to do. Which line ends the program?",
    )
    expect(
        error["type"] not in NO_PLAN or on_purpose == [True],
        "it raises an exception on purpose, or returns",
        call=call,
        hint="One line is meant for this case, but it is never reached. Which line before it raises?",
    )
    expect(
        submission.redis.keys() == keys,
        "nothing in Redis changes: there is no such job",
        call=call,
        got=f"{call.outcome_text}\nand afterwards Redis has a job with that id",
        hint="hset() creates a key if there is none. Which line checks first whether there is one?",
    )
    moments.expect_no_ghost(submission, since, call)


# The worker


@points(1, after=RUN)
def test_the_worker_waits_for_jobs(submission):
    """Letter 8: python worker.py waits at the queue and does not end"""
    worker = service.run_worker(submission)
    expect(
        worker.running,
        "it waits for the next job until you stop it",
        call=worker,
        hint=worker.any_hint or hint_for_not_started(submission.source, "worker.py"),
    )
    expect(
        submission.redis.pops(),
        "it asks its queue for messages",
        call=worker.call_text,
        got="it runs, but asks for none",
        hint="Which line above execute_job() makes it a worker of the queue?",
    )


@points(
    2,
    after=(
        TAKEN,
        ENDS,
        ONE_KEY,
        "test_the_status_follows_the_update",
    ),
    unless_late="test_the_worker_waits_for_jobs",
)
def test_the_worker_completes_jobs(submission, api, note):
    """Letter 8: The worker executes one job after the other: in progress, then complete"""
    worker = service.start_any_worker(submission, first="test_the_worker_waits_for_jobs")
    for _ in range(2):
        since = _now(submission)
        _, jid = post(submission, api)
        worker = service.let_go_on(submission, worker)
        history = submission.redis.history(jid)
        goes_on = worker.running or submission.has_run_out(worker)
        expect(
            history == ["submitted", "in progress", "complete"] and goes_on,
            "the job goes from submitted to in progress to complete, and the worker keeps running",
            call="POST /jobs, while python worker.py runs",
            got=f"status: {' → '.join(history)}; the worker {'runs' if worker.running else 'has ended'}"
            f", and printed\n{worker.printed_text}",
            hint=_hint_for_worker(worker, history),
        )
        moments.expect_never_missing(submission, jid, since, worker.call_text)
    submission.note_socket_timeout(worker, note, "worker")


def _hint_for_worker(worker, history):
    """Return a question that leads from the statuses of a job to its cause."""
    if not worker.running:
        return (
            "The worker did one job and ended. Which line asks for the next one?"
            if worker.exit_code == 0
            else "Look at the line that ended the worker. Which of its names does no import at the "
            "top of worker.py make?"
        )
    if history[-1:] == ["in progress"]:
        return "The job fails between the two updates. Which except there hides the exception?"
    return "Which line of execute_job() sets each status?"
