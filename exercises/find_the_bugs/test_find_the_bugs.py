"""A service that was published and little tested: each of its defects, found by what it does.

Some hide others. What only shows once another defect is mended comes out as "not reached".
"""

import ast
import re
from contextlib import suppress
from ipaddress import ip_address

from jobs_kit.grading import CheckError, Exercise, expect, points
from jobs_kit.grading.programs.explanations import ending, printed
from jobs_kit.grading.programs.formats import UUID, dicts_in, jid_of
from jobs_kit.grading.programs.hints import hint_for

FILES = ("api.py", "jobs.py", "worker.py")
GOOD = {"start": "2012-01-01", "end": "2012-03-31"}
MALFORMED = (b'{"start": "2012-01-01", "end": ', b"start=2012-01-01")
NO_JOB = ({}, {"start": "2012-01-01"}, {"end": "2012-03-31"}, None, [], "start and end", 7)
NO_DATES = ({"start": None, "end": None}, {"start": "2012-01-01", "end": ["2012-03-31"]})
UNKNOWN = "00000000-0000-4000-8000-000000000000"
HOSTS = (("first.example", "7001"), ("second.example", "7002"))
NO_PLAN = ("AttributeError", "TypeError", "NameError", "UnboundLocalError", "IndexError")
NO_PLAN += ("RecursionError", "DataError", "ResponseError", "ConnectionError", "SystemExit")
ON_PURPOSE = re.compile(r"(^|:\s*)(raise|assert)\b")


def is_attempted(source):
    """Tell whether any file that is there differs, as a tree, from what was handed out."""
    handed_out = source.handed_out()
    return any(
        name not in FILES or ast.dump(source.tree(name)) != ast.dump(ast.parse(handed_out[name]))
        for name in source.modules()
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


# What the checks share


def post(submission, api):
    """POST a good job, which must be taken, saved and queued; return (response, id)."""
    response = api.post("/jobs", GOOD)
    expect(
        response.status in (200, 201, 202),
        "200 (or 201, 202): there is nothing wrong with this job",
        call=response,
        hint="Each line of yours in the traceback calls the next. What does the last line say, "
        + (
            "and where would Python look for that?"
            if "NameError" in response.outcome_text
            else "and what does the call that stands there take?"
        ),
    )
    queued = [word for one in submission.redis.pushes() for word in one.arguments[1:]]
    told = [jid_of(one) for one in dicts_in(response.json)] + [jid_of(response.json)]
    told += UUID.findall(response.body.decode(errors="replace"))
    jid = next((j for j in told if j and any(j.encode() in word for word in queued)), None)
    steps = "How many of the steps of add_job() are still done? Compare them with its docstring."
    expect(queued, "the id of the job is put on the queue", call=response, hint=steps)
    expect(
        jid,
        "the answer tells the id of the job, the same one that is on the queue",
        call=response,
        hint="What does add_job() return, and how much of it arrives at the client?",
    )
    expect(
        records(submission, jid),
        "the job is saved: its id, status, start and end",
        call=response,
        got=f"{response.outcome_text}\nand no such job is saved",
        hint=steps,
    )
    return response, jid


def expect_refused(submission, api, bodies, hint):
    """POST each of these; each must be answered with 400 or 422, and change nothing."""
    for body in bodies:
        before = submission.redis.keys(), len(submission.redis.pushes())
        response = api.post("/jobs", body)
        expect(
            response.status in (400, 422),
            "400 (or 422): the request is at fault, and not the server",
            call=response,
            hint=hint(response) if callable(hint) else hint,
        )
        expect(
            (submission.redis.keys(), len(submission.redis.pushes())) == before,
            "what is refused changes nothing in Redis: no job, no message more or less",
            call=response,
            got=f"{response.outcome_text}\nand Redis is not as it was before",
            hint="Which comes first in the view: the look at what came, or the call that saves?",
        )


def update(submission, jid, status):
    """Call update_job_status() in a process of its own; return what came of it."""
    call = submission.call("jobs", "update_job_status", jid, status)
    return call


def records(submission, jid):
    """Return the Records of a job: one, if all is well."""
    return [one for one in submission.redis.jobs() if jid in one.key or one.fields.get("id") == jid]


# The API


@points(1)
def test_the_files_can_be_run(submission):
    """Python can read the three files, and the API starts"""
    submission.source.require()
    submission.serve()


@points(2, after="test_the_files_can_be_run")
def test_a_good_job_is_taken(submission):
    """POST /jobs takes a good job, saves it and queues its id"""
    post(submission, submission.serve())


@points(1, after="test_the_files_can_be_run")
def test_malformed_json_is_refused(submission):
    """POST /jobs answers 400 to a body that is not JSON"""
    expect_refused(
        submission,
        submission.serve(),
        MALFORMED,
        lambda response: (
            "What may a Flask view return, so that the client gets a status code? Compare this "
            "with what the view returns on the way that this request takes."
            if response.status < 500 or "valid response" in response.outcome_text
            else "What does the line that reads the body make of one that is no JSON, and is the "
            "next line ready for that?"
        ),
    )


@points(1, after="test_the_files_can_be_run")
def test_a_body_that_is_no_job_is_refused(submission):
    """POST /jobs answers 400 to JSON that has no start or no end"""
    api = submission.serve()
    hint = "This body is valid JSON. What is it in Python, and what does the view do with it next?"
    expect_refused(submission, api, NO_JOB, hint)
    if api.post("/jobs", GOOD).status < 500:  # or these might come upon another defect
        expect_refused(submission, api, NO_DATES, hint)


@points(1, after="test_a_good_job_is_taken")
def test_the_answer_says_that_it_is_json(submission):
    """The answer to a good job says that it is JSON"""
    response, _ = post(submission, submission.serve())
    expect(
        response.content_type.endswith("json"),
        "the content type application/json",
        call=response,
        hint="For what does a browser take this answer? What does Flask make of a text, and what "
        "of a dict?",
    )


@points(1, after="test_the_files_can_be_run")
def test_the_network_gets_no_console(submission):
    """Nobody else on the network is offered the debugger, which runs any Python they type"""
    serving = submission.serve().serving
    expect(
        not serving["use_debugger"] or is_near(serving["host"]),
        "the debugger is off, or nobody but this computer can reach the server",
        call="python api.py",
        got=f"the API listens at {serving['host']}, and its debugger is on",
        hint="Which two settings say who can reach the server, and what they see when a request fails?",
    )


def is_near(host):
    """Tell whether a server that listens at this host is reached from its own computer only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# The jobs


@points(2, after="test_a_good_job_is_taken")
def test_redis_is_where_the_environment_says(submission):
    """Every client follows REDIS_HOST and REDIS_PORT"""
    for host, port in HOSTS:
        where = {"REDIS_HOST": host, "REDIS_PORT": port, "REDIS_IP": host}
        where["REDIS_URL"] = f"redis://{host}:{port}"
        call = submission.call("jobs", "add_job", *GOOD.values(), **where)
        expect(
            call.error is None, "it works with any address", call=call, hint=hint_for(call.error)
        )
        expect_asked(call.process, host, port)
    worker = submission.start("worker.py", **where)
    submission.settle(worker)
    expect_asked(worker, host, port)


def expect_asked(process, host, port):
    """Expect that a process has looked for Redis there and nowhere else."""
    asked = {f"{one['host']}:{one['port']}" for one in process.events("redis_connection")}
    expect(
        asked <= {f"{host}:{port}"},
        f"Redis is looked for at {host}:{port}, and nowhere else",
        call=f"REDIS_HOST={host} REDIS_PORT={port}, then {process.call_text}",
        got=f"Redis was looked for at {' and '.join(sorted(asked))}",
        hint="How many clients does this service make, and from where does each get its host and its "
        "port?",
    )


@points(1, after="test_a_good_job_is_taken")
def test_no_command_is_a_deprecated_one(submission):
    """A job is saved by commands that Redis does not call deprecated"""
    _, jid = post(submission, submission.serve())
    with suppress(CheckError):  # what is wrong with an update is for another check
        update(submission, jid, "in progress")
    old = [one for one in submission.redis.commands if one.name == "HMSET"]
    expect(
        not old,
        "no command that is deprecated: HMSET has been so since Redis 4.0",
        call="POST /jobs, then update_job_status(): what they sent to Redis",
        got="\n".join(map(str, old)),
        hint="Which method of the client sends this command? Its docstring, or a run with "
        "python -W always, names the one that took its place.",
    )


@points(1, after="test_the_files_can_be_run")
def test_an_update_comes_to_its_end(submission):
    """update_job_status() comes to its end for a job that is there"""
    expect(
        "update_job_status" in submission.source.definitions(),
        "jobs.py defines update_job_status(jid, status), as it did when it was handed out",
        hint="Who else uses this name, and what becomes of them when it is gone?",
    )
    call = submission.call("jobs", "add_job", *GOOD.values())
    jid = None if call.error else jid_of(call.value)
    call = update(submission, jid or UNKNOWN, "in progress")
    wrong = call.error and (jid or call.error["type"] in ("NameError", "UnboundLocalError"))
    expect(
        not wrong,
        "it comes back" if jid else "every name that it uses is defined",
        call=call,
        hint=hint_for(call.error),
    )


@points(1, after=("test_a_good_job_is_taken", "test_an_update_comes_to_its_end"))
def test_an_update_makes_no_second_key(submission):
    """An update changes the job that is there, and makes no second one"""
    _, jid = post(submission, submission.serve())
    keys = {one.key for one in records(submission, jid)}
    call = update(submission, jid, "in progress")
    new = [one.key for one in records(submission, jid) if one.key not in keys]
    expect(
        not new,
        "the job stands under one key, before and after",
        call=call,
        got=f"it was under {' and '.join(keys)}; since the update it is under {' and '.join(new)}, too",
        hint="Print the second key. What was the type of the id that it was made from, and on which "
        "line did it become that?",
    )


@points(
    2,
    after=(
        "test_a_good_job_is_taken",
        "test_an_update_comes_to_its_end",
        "test_an_update_makes_no_second_key",
    ),
)
def test_the_status_follows_the_update(submission):
    """After an update a job has the new status, and all else that it had"""
    _, jid = post(submission, submission.serve())
    before = records(submission, jid)[0]
    for status in ("in progress", "complete"):
        call = update(submission, jid, status)
        now = [one.fields for one in records(submission, jid)]
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


@points(1, after="test_an_update_comes_to_its_end")
def test_an_unknown_id_is_seen(submission):
    """update_job_status() sees that there is no job with an id, and makes none"""
    keys = submission.redis.keys()
    call = update(submission, UNKNOWN, "in progress")
    error = call.error or {"type": None, "frames": []}
    on_purpose = [bool(ON_PURPOSE.search(one["text"])) for one in error["frames"][-1:]]
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


@points(1, after="test_the_files_can_be_run")
def test_the_worker_waits_for_jobs(submission):
    """python worker.py is a program that waits at the queue and does not end"""
    worker = submission.start("worker.py")
    submission.settle(worker)
    expect(
        worker.running,
        "it waits for the next job, until somebody stops it",
        call=worker.call_text,
        got=ending(worker),
        hint="Which line of worker.py begins to work? To define a function is not yet to run it."
        if worker.exit_code == 0
        else hint_for((worker.events("error") or [None])[-1]),
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
        "test_a_good_job_is_taken",
        "test_an_update_comes_to_its_end",
        "test_an_update_makes_no_second_key",
        "test_the_status_follows_the_update",
        "test_the_worker_waits_for_jobs",
    ),
)
def test_the_worker_completes_jobs(submission, note):
    """The worker executes one job after the other: in progress, then complete"""
    api, worker = submission.serve(), submission.start("worker.py")
    for _ in range(2):
        _, jid = post(submission, api)
        submission.settle(worker)
        history = submission.redis.history(jid)
        expect(
            history == ["submitted", "in progress", "complete"] and worker.running,
            "the job goes from submitted to in progress to complete, and the worker goes on",
            call="POST /jobs, while python worker.py runs",
            got=f"status: {' → '.join(history)}; the worker {'runs' if worker.running else 'has ended'}"
            f", and printed\n{printed(worker)}",
            hint=_hint_for_worker(worker, history),
        )
    if submission.queue_of(worker)["socket_timeout"] is not None:
        note("without socket_timeout=None this worker dies after an idle minute (lesson 02)")


def _hint_for_worker(worker, history):
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
