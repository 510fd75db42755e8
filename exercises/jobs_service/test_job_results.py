"""The worker analyses the days of a job; GET /jobs/<jid>/results hands out the summary."""

import ast
import json

from jobs_kit.analysis import summarize
from jobs_kit.grading import Exercise, NotAttemptedError, expect, points
from jobs_kit.grading.programs.explanations import ending
from jobs_kit.grading.programs.formats import dicts_in, jid_of
from jobs_kit.grading.programs.hints import hint_for, hint_for_view
from jobs_kit.redis_server.monitor import HASH_WRITES, OTHER_WRITES, PUSHES

SPRING = {"start": "2012-03-01", "end": "2012-05-31"}
NOVEMBER = {"start": "2014-11-01", "end": "2014-11-30"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
OF_A_SUMMARY = b"wettest_day"  # what no other value holds


def is_attempted(source):
    """Return True if some file uses the analysis or has a path with results; else NotAttemptedError."""
    if not any(map(_is_of_results, map(source.tree, source.modules()))):
        raise NotAttemptedError(
            "nothing to judge yet: no analysis in the worker, no results in the API"
        )
    return True


def _is_of_results(tree):
    nodes = list(ast.walk(tree))
    names = {
        getattr(node, name, None) for node in nodes for name in ("id", "attr", "name", "module")
    }
    texts = [one.value for one in nodes if isinstance(getattr(one, "value", None), str)]
    # a route, and not a docstring that tells of one
    routes = [text for text in texts if text.endswith(("/results", "/results/"))]
    return bool(routes or names & {"analysis", "summarize"})


EXERCISE = Exercise(
    __file__,
    number=100,
    lesson="ask_for_status_and_results",
    title="Do the real job and hand out its results",
    files=("api.py", "jobs.py", "worker.py"),
    changes={"worker.py": ("execute_job",)},
    is_attempted=is_attempted,
    given=("analysis.py", "data"),
    records=("worker.py",),
    hints=(
        "Follow a result on its way: worker.py makes it with analysis.summarize(), jobs.py knows "
        "where in Redis it is kept, api.py hands it out. Worker and API are two programs: what "
        "one of them has in a variable the other can't see.",
        "jobs.py gets a pair of functions, to store the result of a jid and to read it. A field "
        "of a hash holds text, so the dict becomes text and a dict again. The worker stores first "
        "and then says `complete`. The route has three cases: no such job, not complete, complete.",
        'rd.hset(_generate_job_key(jid), "result", json.dumps(result)) stores it. In the worker: '
        'analysis.summarize(job["start"], job["end"]). In the route, before the result is read: '
        'if job["status"] != "complete": return {"status": job["status"]}, 409.',
    ),
)


def post(api, dates):
    """POST a job; return its id."""
    response = api.post("/jobs", dates)
    found = [jid_of(one) for one in dicts_in(response.json)] or [jid_of(response.json)]
    jid = next(filter(None, found), None)
    expect(
        response.status in (200, 201, 202) and jid,
        "the job is taken, and the answer carries its id",
        call=response,
        hint="This belongs to `job_status`: check that exercise first.",
    )
    return jid


def results_of(api, jid):
    """Ask for the results of a job; return the Response."""
    return api.get(f"/jobs/{jid}/results")


def do_jobs(submission, *ranges, api=None):
    """POST a job for each of these, let the worker do them all; return (api, [id, ...])."""
    api = api or submission.serve()
    jids = [post(api, dates) for dates in ranges]
    worker = submission.start("worker.py")
    if not submission.settle(worker) or worker.events("time_limit"):
        raise submission.timed_out(
            worker, "the worker does the job and comes back for the next one"
        )
    for jid, dates in zip(jids, ranges, strict=True):
        status = submission.redis.status(jid) or "not there"
        doing, is_idle = f"has ended: {ending(worker)}", submission.waits(worker)
        if worker.running:
            doing = "waits for the next message" if is_idle else "still runs"
        expect(
            status == "complete",
            "the job is complete when the worker has done it",
            call=f"POST /jobs  {json.dumps(dates)}, then {worker.call_text}",
            got=f"the job is {status}; the worker {doing}",
            hint="The worker never came to this job. At which queue does it wait, and where is the id?"
            if status == "submitted" and is_idle
            else hint_for_worker(worker),
        )
    return api, jids


def hint_for_worker(worker):
    """Return a question that leads from what became of a worker to its cause."""
    error = (worker.events("error") or [{}])[-1]
    if error.get("type") == "DataError" or "DataError" in worker.output:
        return "Redis keeps text, bytes and numbers. What is it that you give it here?"
    if error:
        return hint_for(error) or "Which values were in the line that raised? Print them there."
    if not worker.running:
        return "Which line of worker.py starts the worker, and what ends it?"
    return "Does execute_job() come to the line that says `complete`, and with which id?"


def holds(response, summary):
    """Tell whether an answer holds all of a summary, at whatever depth."""
    return any(
        all(found.get(name) == value for name, value in summary.items())
        for found in dicts_in(response.json)
    )


def stores_a_summary(command):
    """Tell whether a command writes a summary."""
    writes = command.name in HASH_WRITES | OTHER_WRITES | PUSHES
    return writes and any(OF_A_SUMMARY in word for word in command.arguments)


def has_sent_a_summary(submission):
    """Tell whether any program has sent a summary to Redis, by whatever command."""
    return any(OF_A_SUMMARY in word for one in submission.redis.commands for word in one.arguments)


def keep_the_four_fields(redis, jid):
    """Take out of Redis all but the four fields of one job: as if a worker had stored nothing."""
    job = redis.find_job(jid)
    fields = {
        name: job.fields[name] for name in ("id", "status", "start", "end") if name in job.fields
    }
    stored = redis.keys()
    for db, key, _ in stored:
        redis.client(db).delete(key)
    if job.kind == "hash":
        redis.client(job.db).hset(job.key, mapping=fields)
    else:
        redis.client(job.db).set(job.key, json.dumps(fields))


def hint_for_results(submission, response):
    """Return a question that leads from wrong results to their cause."""
    stored = [one for one in submission.redis.commands if stores_a_summary(one)]
    if not stored:
        return (
            "There is no summary in Redis, in the form in which the analysis returns one. Where "
            "does the worker put it, and is that all of it? The API is another program and can "
            "only see what is in Redis."
        )
    if any(b"'wettest_day'" in word for word in stored[-1].arguments):
        return "Look at the quotes of what is stored. Is that JSON, and who wrote it like this?"
    if hint_for_view(response):
        return hint_for_view(response)
    if response.status == 404:
        return "For which path is your route made, and where does it look for the result?"
    if response.status >= 500:
        return (
            "What does Redis give back at the key that your route asks for, and of which type is "
            "it? Above you see what is stored, and where."
        )
    if response.status != 200:
        return (
            "The job is complete: Redis shows it. Which line of your route says that it is not, "
            "and with which word does it compare the status?"
        )
    days = [str(found["days"]) for found in dicts_in(response.json) if "days" in found]
    if str(summarize(**SPRING)["days"]) in days:
        return (
            "These are the right days. Compare value by value: which is a text now, or another "
            "number, and which of your lines has made it so?"
        )
    if days:
        return "These are results, but of other days. From where does the worker take the dates?"
    return "Compare what is stored with what came back. Which line makes the one of the other?"


def says_so(response, jid, unknown):
    """Tell whether an answer says that there is no result yet, in whatever words.

    It must not be the 404 of an unknown id, and with 200 there must be words in it.
    """
    bodies = [one.body.replace(name.encode(), b"") for one, name in ((response, jid), unknown)]
    if response.status == unknown[0].status == 404 and bodies[0] == bodies[1]:
        return False
    if response.status != 200:
        return True
    if response.json is None:
        return response.body.strip() not in (b"", b"null", b"None", b"{}")
    return _has_words(response.json, {jid, *SPRING.values()})


def _has_words(value, known):
    if isinstance(value, list | dict):
        values = value.values() if isinstance(value, dict) else value
        return any(_has_words(one, known) for one in values)
    return isinstance(value, bool) or (isinstance(value, str) and value not in known | {""})


@points(2)
def test_the_results_are_the_summary(submission):
    """GET /jobs/<jid>/results of a complete job answers with the summary of its days"""
    api, [jid] = do_jobs(submission, SPRING)
    response, summary = results_of(api, jid), summarize(**SPRING)
    expect(
        response.status == 200 and holds(response, summary),
        f"200 and what analysis.summarize() returns for {' to '.join(SPRING.values())}, as JSON:\n"
        f"{json.dumps(summary)}",
        call=response,
        hint=hint_for_results(submission, response),
    )


@points(2, after="test_the_results_are_the_summary")
def test_each_job_has_its_own_results(submission):
    """Each job has results of its own, of its own days"""
    api, jids = do_jobs(submission, SPRING, NOVEMBER)
    for jid, dates in zip(jids, (SPRING, NOVEMBER), strict=True):
        response, summary = results_of(api, jid), summarize(**dates)
        expect(
            holds(response, summary),
            f"the summary for {' to '.join(dates.values())}:\n{json.dumps(summary)}",
            call=response,
            hint="Two jobs were done before anybody asked. Under which key is each result kept, "
            "and from where do its dates come?",
        )
        again = results_of(api, jid)
        again.call_text += ", asked for the second time"
        expect(
            again.status == response.status and holds(again, summary),
            "the same answer as before",
            call=again,
            hint="What was stored, and which of your lines takes it away when somebody reads it?",
        )


@points(1, after="test_the_results_are_the_summary")
def test_complete_comes_last(submission):
    """The status becomes complete when the result is there, and not before"""
    _, [jid] = do_jobs(submission, SPRING)
    trace = submission.redis.commands
    stored = [i for i, one in enumerate(trace) if stores_a_summary(one)]
    completed = [i for i, one in enumerate(trace) if _completes(one, jid)]
    if not stored or not completed or stored[0] <= completed[0]:
        return
    between = trace[completed[0] : stored[0] + 1]
    expect(
        _are_one_step(trace, completed[0], stored[0]),
        "the result is stored first, and the status becomes `complete` afterwards",
        call="python worker.py, with one job on the queue",
        got="it sent to Redis, in this order:\n" + "\n".join(map(str, between)),
        hint="Somebody asks for the results right after the status became `complete`. What is there "
        "at that moment?",
    )


def _completes(command, jid):
    words = command.arguments
    return (
        command.name in HASH_WRITES | OTHER_WRITES
        and any(jid.encode() in word for word in words)
        and any(b"complete" in word for word in words)
    )


def _are_one_step(trace, first, last):
    """Tell whether two commands stand in one MULTI."""
    marks = [one.name for one in trace[:first] if one.name in ("MULTI", "EXEC")]
    inside = [one.name for one in trace[first:last]]
    return marks[-1:] == ["MULTI"] and "EXEC" not in inside and "MULTI" not in inside


@points(1, after="test_the_results_are_the_summary")
def test_the_worker_does_the_work(submission):
    """The API hands out what the worker has stored, and analyses nothing itself"""
    api = submission.serve()
    post(api, NOVEMBER)
    expect(
        not has_sent_a_summary(submission),
        "no summary in Redis before a worker runs: the API answers at once, and the worker works",
        call=f"POST /jobs  {json.dumps(NOVEMBER)}, while no worker runs",
        got="a summary was stored",
        hint="In which of the two programs does analysis.summarize() run, and how long does the client "
        "wait for an answer if an analysis takes an hour?",
    )
    _, [jid, other] = do_jobs(submission, SPRING, SPRING, api=api)
    with submission.without("data/seattle-weather.csv"):
        response = results_of(api, jid)
        keep_the_four_fields(submission.redis, other)
        without = results_of(api, other)
    response.call_text += ", with the weather data out of the API's reach"
    without.call_text += ", after all but the four fields of the job was taken out of Redis"
    expect(
        holds(response, summarize(**SPRING)),
        "the results, as the worker has stored them",
        call=response,
        hint="In which of the two programs does analysis.summarize() run when somebody asks for "
        "the results?",
    )
    expect(
        OF_A_SUMMARY not in without.body,
        "no results any more: the worker has stored them in Redis, and nowhere else",
        call=without,
        hint="In production the worker and the API run on two machines. What do these two share?",
    )


@points(2, after="test_the_results_are_the_summary")
def test_it_says_when_there_is_no_result_yet(submission):
    """GET /jobs/<jid>/results says so while the job is not complete"""
    api = submission.serve()
    jid = post(api, SPRING)
    unknown = (results_of(api, UNKNOWN), UNKNOWN)
    for status in ("submitted", "in progress"):
        if status != "submitted":
            submission.call("jobs", "update_job_status", jid, status)
        response = results_of(api, jid)
        response.call_text += f", while the job is {status}"
        expect(
            response.status < 500,
            "an answer that says that the job is not complete, such as 409 with its status",
            call=response,
            hint="What does your route find in Redis when the worker has not been there yet?",
        )
        expect(
            OF_A_SUMMARY not in response.body,
            "no results: no worker has done this job",
            call=response,
            hint="From where do these results come, if the worker did not make them?",
        )
        expect(
            says_so(response, jid, unknown),
            "an answer from which one can tell: this job exists, and it is not complete yet",
            call=response,
            hint="Compare this answer with that for an unknown id, and with that of a job that is "
            "complete. How would a program know that it should ask again later?",
        )


@points(1, after="test_the_results_are_the_summary")
def test_an_unknown_id_has_no_results(submission):
    """GET /jobs/<jid>/results answers 404 for an id that no job has"""
    api = submission.serve()
    response = results_of(api, UNKNOWN)
    response.call_text += ", an id that no job has"
    expect(
        response.status == 404,
        "404: there is no such job",
        call=response,
        hint="How does your route for GET /jobs/<jid> find out that there is no such job?",
    )
    expect(
        not submission.redis.keys(),
        "to ask for results changes nothing in Redis",
        call=response,
        got=f"{response.outcome_text}\nand a key was stored",
        hint="Which of your lines writes, although somebody only wanted to read?",
    )


@points(1, after="test_the_results_are_the_summary")
def test_the_job_is_still_shown(submission):
    """GET /jobs/<jid> still shows the job: its four fields, and that it is complete"""
    api, [jid] = do_jobs(submission, SPRING)
    response = api.get(f"/jobs/{jid}")
    wanted = {"id": jid, "status": "complete"} | SPRING
    expect(
        response.status == 200 and holds(response, wanted),
        f"200 and the job, as JSON: {wanted}",
        call=response,
        hint="What else is in the hash of the job now, and what does the function that reads the "
        "hash make of it?",
    )
