"""The worker analyses the days of a job; GET /jobs/<jid>/results hands out the summary."""

import json

from jobs_kit.grading import Exercise, NotAttemptedError, expect, points, service, summarize

SPRING = {"start": "2012-03-01", "end": "2012-05-31"}
NOVEMBER = {"start": "2014-11-01", "end": "2014-11-30"}
OF_A_SUMMARY = "wettest_day"  # what no other value holds


def is_attempted(source):
    """Return True if some file uses the analysis or has a path with results; else NotAttemptedError."""
    nodes, parts = source.nodes(), ("id", "attr", "name", "module")
    names = {getattr(node, part, None) for node in nodes for part in parts}
    texts = [node.value for node in nodes if isinstance(getattr(node, "value", None), str)]
    # a route, and not a docstring that tells of one
    routes = [text for text in texts if text.endswith(("/results", "/results/"))]
    if routes or names & {"analysis", "summarize"}:
        return True
    raise NotAttemptedError(
        "nothing to judge yet: no analysis in the worker, no results in the API"
    )


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
    expect(
        response.is_taken and response.job_id,
        "the job is taken, and the answer carries its id",
        call=response,
        hint="This belongs to `job_status`: check that exercise first.",
    )
    return response.job_id


def do_jobs(submission, api, *ranges):
    """POST a job for each of these, let the worker do them all; return their ids."""
    jids = [post(api, dates) for dates in ranges]
    worker = service.run_worker(submission)
    for jid, dates in zip(jids, ranges, strict=True):
        status = submission.redis.status(jid)
        expect(
            status == "complete",
            "the job is complete when the worker has done it",
            call=f"POST /jobs  {json.dumps(dates)}, then {worker.call_text}",
            got=service.job_and_worker(submission, jid, worker),
            hint="The worker never came to this job. At which queue does it wait, and where is the id?"
            if status == "submitted" and submission.waits(worker)
            else hint_for_worker(worker),
        )
    return jids


def hint_for_worker(worker):
    """Return a question that leads from what became of a worker to its cause."""
    if (worker.error or {}).get("type") == "DataError" or "DataError" in worker.output:
        return "Redis keeps text, bytes and numbers. What is it that you give it here?"
    if worker.error:
        return worker.hint or "Which values were in the line that raised? Print them there."
    if not worker.running:
        return "Which line of worker.py starts the worker, and what ends it?"
    return "Does execute_job() come to the line that says `complete`, and with which id?"


def hint_for_results(submission, response):
    """Return a question that leads from wrong results to their cause."""
    stored = submission.redis.writes(OF_A_SUMMARY, in_lists=True)
    if not stored:
        return (
            "There is no summary in Redis, in the form in which the analysis returns one. Where "
            "does the worker put it, and is that all of it? The API is another program and can "
            "only see what is in Redis."
        )
    if stored[-1][1].holds(f"'{OF_A_SUMMARY}'"):
        return "Look at the quotes of what is stored. Is that JSON, and who wrote it like this?"
    if response.hint:
        return response.hint
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
    days = [str(fields["days"]) for fields in response.objects if "days" in fields]
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
    pairs = ((response, jid), unknown)
    bodies = [answer.body.replace(name.encode(), b"") for answer, name in pairs]
    if response.status == unknown[0].status == 404 and bodies[0] == bodies[1]:
        return False
    if response.status != 200:
        return True
    if response.json is None:
        return response.body.strip() not in (b"", b"null", b"None", b"{}")
    return response.has_words({jid, *SPRING.values()})


@points(2)
def test_the_results_are_the_summary(submission, api):
    """GET /jobs/<jid>/results of a complete job answers with the summary of its days"""
    [jid] = do_jobs(submission, api, SPRING)
    response, summary = api.get(f"/jobs/{jid}/results"), summarize(**SPRING)
    expect(
        response.status == 200 and response.holds(summary),
        f"200 and what analysis.summarize() returns for {' to '.join(SPRING.values())}, as JSON:\n"
        f"{json.dumps(summary)}",
        call=response,
        hint=hint_for_results(submission, response),
    )


@points(2, after="test_the_results_are_the_summary")
def test_each_job_has_its_own_results(submission, api):
    """Each job has results of its own, of its own days"""
    jids = do_jobs(submission, api, SPRING, NOVEMBER)
    for jid, dates in zip(jids, (SPRING, NOVEMBER), strict=True):
        response, summary = api.get(f"/jobs/{jid}/results"), summarize(**dates)
        expect(
            response.holds(summary),
            f"the summary for {' to '.join(dates.values())}:\n{json.dumps(summary)}",
            call=response,
            hint="Two jobs were done before anybody asked. Under which key is each result kept, "
            "and from where do its dates come?",
        )
        again = api.get(f"/jobs/{jid}/results")
        again.call_text += ", asked for the second time"
        expect(
            again.status == response.status and again.holds(summary),
            "the same answer as before",
            call=again,
            hint="What was stored, and which of your lines takes it away when somebody reads it?",
        )


@points(1, after="test_the_results_are_the_summary")
def test_complete_comes_last(submission, api):
    """The status becomes complete when the result is there, and not before"""
    [jid] = do_jobs(submission, api, SPRING)
    trace, stored = submission.redis.commands, submission.redis.writes(OF_A_SUMMARY, in_lists=True)
    completed = submission.redis.writes(jid, "complete")
    if not stored or not completed or stored[0][0] <= completed[0][0]:
        return
    first, last = completed[0][0], stored[0][0]
    expect(
        submission.redis.is_one_step(first, last),
        "the result is stored first, and the status becomes `complete` afterwards",
        call="python worker.py, with one job on the queue",
        got="it sent to Redis, in this order:\n" + "\n".join(map(str, trace[first : last + 1])),
        hint="Somebody asks for the results right after the status became `complete`. What is there "
        "at that moment?",
    )


@points(1, after="test_the_results_are_the_summary")
def test_the_worker_does_the_work(submission, api):
    """The API hands out what the worker has stored, and analyses nothing itself"""
    post(api, NOVEMBER)
    expect(
        not any(command.holds(OF_A_SUMMARY) for command in submission.redis.commands),
        "no summary in Redis before a worker runs: the API answers at once, and the worker works",
        call=f"POST /jobs  {json.dumps(NOVEMBER)}, while no worker runs",
        got="a summary was stored",
        hint="In which of the two programs does analysis.summarize() run, and how long does the client "
        "wait for an answer if an analysis takes an hour?",
    )
    jid, other = do_jobs(submission, api, SPRING, SPRING)
    with submission.without("data/seattle-weather.csv"):
        response = api.get(f"/jobs/{jid}/results")
        submission.redis.keep_only_job(other)
        without = api.get(f"/jobs/{other}/results")
    response.call_text += ", with the weather data out of the API's reach"
    without.call_text += ", after all but the four fields of the job was taken out of Redis"
    expect(
        response.holds(summarize(**SPRING)),
        "the results, as the worker has stored them",
        call=response,
        hint="In which of the two programs does analysis.summarize() run when somebody asks for "
        "the results?",
    )
    expect(
        OF_A_SUMMARY.encode() not in without.body,
        "no results any more: the worker has stored them in Redis, and nowhere else",
        call=without,
        hint="In production the worker and the API run on two machines. What do these two share?",
    )


@points(2, after="test_the_results_are_the_summary")
def test_it_says_when_there_is_no_result_yet(submission, api):
    """GET /jobs/<jid>/results says so while the job is not complete"""
    jid = post(api, SPRING)
    unknown = (api.get(f"/jobs/{service.UNKNOWN}/results"), service.UNKNOWN)
    for status in ("submitted", "in progress"):
        if status != "submitted":
            service.set_status(submission, jid, status)
        response = api.get(f"/jobs/{jid}/results")
        response.call_text += f", while the job is {status}"
        expect(
            response.status < 500,
            "an answer that says that the job is not complete, such as 409 with its status",
            call=response,
            hint="What does your route find in Redis when the worker has not been there yet?",
        )
        expect(
            OF_A_SUMMARY.encode() not in response.body,
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
def test_an_unknown_id_has_no_results(submission, api):
    """GET /jobs/<jid>/results answers 404 for an id that no job has"""
    response = service.expect_not_found(
        api,
        f"/jobs/{service.UNKNOWN}/results",
        "How does your route for GET /jobs/<jid> find out that there is no such job?",
    )
    is_empty = not submission.redis.keys()
    service.expect_only_read(is_empty, "results", response, "a key was stored")


@points(1, after="test_the_results_are_the_summary")
def test_the_job_is_still_shown(submission, api):
    """GET /jobs/<jid> still shows the job: its four fields, and that it is complete"""
    [jid] = do_jobs(submission, api, SPRING)
    response = api.get(f"/jobs/{jid}")
    wanted = {"id": jid, "status": "complete"} | SPRING
    expect(
        response.status == 200 and response.holds(wanted),
        f"200 and the job, as JSON: {wanted}",
        call=response,
        hint="What else is in the hash of the job now, and what does the function that reads the "
        "hash make of it?",
    )
