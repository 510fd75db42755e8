"""The worker analyses the days of a job; GET /jobs/<jid>/results returns the summary."""

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
    # a route, and not a docstring that mentions one
    routes = [text for text in texts if text.endswith(("/results", "/results/"))]
    if routes or names & {"analysis", "summarize"}:
        return True
    raise NotAttemptedError(
        "nothing to check yet: no analysis in the worker, no results in the API"
    )


EXERCISE = Exercise(
    __file__,
    number=100,
    lesson="ask_for_status_and_results",
    title="Do the real work and return its results",
    files=("api.py", "jobs.py", "worker.py"),
    changes={"worker.py": ("execute_job",)},
    is_attempted=is_attempted,
    given=("analysis.py", "data"),
    records=("worker.py",),
    hints=(
        "Follow a result: worker.py makes it with analysis.summarize(), jobs.py stores it in "
        "Redis, api.py returns it. Worker and API are two programs, so neither can see the "
        "other's variables.",
        "Add two functions to jobs.py: one stores the result of a job, one reads it. A hash field "
        "can't hold a dict, so store it as JSON text. The worker stores the result first and sets "
        "`complete` afterwards. The route has three cases: no such job, not complete, complete.",
        'To store it: rd.hset(_generate_job_key(jid), "result", json.dumps(result)). In the '
        'worker: analysis.summarize(job["start"], job["end"]). In the route, before it reads the '
        'result: if job["status"] != "complete": return {"status": job["status"]}, 409.',
    ),
)


def post(api, dates):
    """POST a job; return its id."""
    response = api.post("/jobs", dates)
    expect(
        response.is_taken and response.job_id,
        "the job is accepted, and the response contains its id",
        call=response,
        hint="POST /jobs doesn't work yet. Check the exercise `job_status` first.",
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
            hint="The worker never got this job. Which queue does it wait at, and which one has the id?"
            if status == "submitted" and submission.waits(worker)
            else hint_for_worker(worker),
        )
    return jids


def hint_for_worker(worker):
    """Return a question that leads from the end of a worker to its cause."""
    if (worker.error or {}).get("type") == "DataError" or "DataError" in worker.output:
        return (
            "Redis stores text, bytes and numbers. Which argument of this line is something else?"
        )
    if worker.error:
        return worker.hint or "Print the values of the line that raised. Which one is a surprise?"
    if not worker.running:
        return "Which line of worker.py ends the worker, or does no line start it?"
    return "Does execute_job() reach the line that sets `complete`? Print the id there."


def hint_for_results(submission, response):
    """Return a question that leads from wrong results to their cause."""
    stored = submission.redis.writes(OF_A_SUMMARY, in_lists=True)
    if not stored:
        return (
            "The dict that summarize() returns is not in Redis, or not all of it. Which line of the "
            "worker stores it? The API is another program and sees only what is in Redis."
        )
    if stored[-1][1].holds(f"'{OF_A_SUMMARY}'"):
        return "Single quotes are not JSON. Which line turns the summary into this string?"
    if response.hint:
        return response.hint
    if response.status == 404:
        return "Compare the path of your route with the path of the call. Is there such a route?"
    if "bytes" in response.outcome_text or response.shows_bytes:
        return "Redis returns bytes: which line decodes them?"
    if response.status >= 500:
        return (
            "Compare the key that your route reads with the keys in Redis above. What does Redis "
            "return for yours?"
        )
    if response.status != 200:
        return (
            "Redis shows that the job is complete. Which word does your route compare its status "
            "with?"
        )
    days = [str(fields["days"]) for fields in response.objects if "days" in fields]
    if str(summarize(**SPRING)["days"]) in days:
        return (
            "These are the right days. Compare value by value: which of your lines turns a number "
            "into a string, or changes it?"
        )
    if days:
        return (
            "These are the results of other days. Which dates does the worker pass to summarize()?"
        )
    return "Compare the response with what is stored. Which line turns one into the other?"


def says_so(response, jid, unknown):
    """Tell whether a response says that there is no result yet, in whatever words.

    It must not be the 404 of an unknown id, and with 200 it must contain words.
    """
    pairs = ((response, jid), unknown)
    bodies = [answer.body.replace(name.encode(), b"") for answer, name in pairs]
    if response.status == unknown[0].status == 404 and bodies[0] == bodies[1]:
        return False
    if response.status != 200:
        return True
    if response.json is None:
        return response.body.strip() not in (b"", b"null", b"None", b"{}")
    return response.tells_something({jid, *SPRING.values()})


@points(2)
def test_the_results_are_the_summary(submission, api):
    """GET /jobs/<jid>/results returns the summary if the job is complete"""
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
    """Each job has its own results, for its own days"""
    jids = do_jobs(submission, api, SPRING, NOVEMBER)
    for jid, dates in zip(jids, (SPRING, NOVEMBER), strict=True):
        response, summary = api.get(f"/jobs/{jid}/results"), summarize(**dates)
        expect(
            response.holds(summary),
            f"the summary for {' to '.join(dates.values())}:\n{json.dumps(summary)}",
            call=response,
            hint="Two jobs were done before the first request. Under which key do you store each "
            "result?",
        )
        again = api.get(f"/jobs/{jid}/results")
        again.call_text += ", the second time"
        expect(
            again.status == response.status and again.holds(summary),
            "the same response as before",
            call=again,
            hint="The first request got the result. Which of your lines removes it from Redis?",
        )


@points(1, after="test_the_results_are_the_summary")
def test_complete_comes_last(submission, api):
    """The status becomes complete after the result is stored, not before"""
    [jid] = do_jobs(submission, api, SPRING)
    trace, stored = submission.redis.commands, submission.redis.writes(OF_A_SUMMARY, in_lists=True)
    written = submission.redis.status_writes(jid)
    completed = [place for place, status in written if status == "complete"]
    if not stored or not completed or stored[0][0] <= completed[0]:
        return
    first, last = completed[0], stored[0][0]
    expect(
        submission.redis.is_one_step(first, last),
        "the result is stored first, and the status becomes `complete` afterwards",
        call="python worker.py, with one job on the queue",
        got="it sent these commands to Redis, in this order:\n"
        + "\n".join(map(str, trace[first : last + 1])),
        hint="A client asks for the results right after the status became `complete`. What does it "
        "get?",
    )


@points(1, after="test_the_results_are_the_summary")
def test_the_worker_does_the_work(submission, api):
    """The API returns what the worker stored, and analyses nothing itself"""
    post(api, NOVEMBER)
    expect(
        not any(command.holds(OF_A_SUMMARY) for command in submission.redis.commands),
        "no summary in Redis before a worker runs: the API answers at once, the worker does the work",
        call=f"POST /jobs  {json.dumps(NOVEMBER)}, while no worker runs",
        got="a summary was stored",
        hint="The API ran the analysis, so the client had to wait for it. Which line calls "
        "analysis.summarize()?",
    )
    jid, other = do_jobs(submission, api, SPRING, SPRING)
    with submission.without("data/seattle-weather.csv"):
        response = api.get(f"/jobs/{jid}/results")
        submission.redis.keep_only_job(other)
        without = api.get(f"/jobs/{other}/results")
    response.call_text += ", after the weather data was moved away"
    without.call_text += ", after everything but the four fields of the job was deleted from Redis"
    expect(
        response.holds(summarize(**SPRING)),
        "the results, as the worker stored them",
        call=response,
        hint="The API needs the weather data to answer. Which line of the route runs the analysis "
        "again?",
    )
    expect(
        OF_A_SUMMARY.encode() not in without.body,
        "no results: the worker stores them in Redis, and nowhere else",
        call=without,
        hint="In production the worker and the API run on two machines and share only Redis. Which "
        "line reads the result from somewhere else?",
    )


@points(2, after="test_the_results_are_the_summary")
def test_it_says_when_there_is_no_result_yet(submission, api):
    """GET /jobs/<jid>/results reports that a job is not complete yet"""
    jid = post(api, SPRING)
    unknown = (api.get(f"/jobs/{service.UNKNOWN}/results"), service.UNKNOWN)
    for status in ("submitted", "in progress"):
        if status != "submitted":
            service.set_status(submission, jid, status)
        response = api.get(f"/jobs/{jid}/results")
        response.call_text += f", while the job is {status}"
        expect(
            response.status < 500,
            "a response that reports that the job is not complete, such as 409 with its status",
            call=response,
            hint="There is no result in Redis yet. Does your route check the status before it reads "
            "the result?",
        )
        expect(
            OF_A_SUMMARY.encode() not in response.body,
            "no results: no worker has done this job",
            call=response,
            hint="No worker made these results. Which line of the API did?",
        )
        expect(
            says_so(response, jid, unknown),
            "a response that shows that this job exists and is not complete yet",
            call=response,
            hint="Compare this response with the one for an unknown id, and with the one for a "
            "complete job. How can a client tell that it should ask again later?",
        )


@points(1, after="test_the_results_are_the_summary")
def test_an_unknown_id_has_no_results(submission, api):
    """GET /jobs/<jid>/results answers 404 if no job has this id"""
    response = service.expect_not_found(
        api,
        f"/jobs/{service.UNKNOWN}/results",
        "Your route for GET /jobs/<jid> handles this already. Which of its lines does this one need?",
    )
    is_empty = not submission.redis.keys()
    service.expect_only_read(is_empty, "results", response, "a key was stored")


@points(1, after="test_the_results_are_the_summary")
def test_the_job_is_still_shown(submission, api):
    """GET /jobs/<jid> still shows the four fields of the job, with the status complete"""
    [jid] = do_jobs(submission, api, SPRING)
    response = api.get(f"/jobs/{jid}")
    wanted = {"id": jid, "status": "complete"} | SPRING
    expect(
        response.status == 200 and response.holds(wanted),
        f"200 and the job, as JSON: {wanted}",
        call=response,
        hint="The hash of the job has more fields now. Which line of the function that reads it "
        "doesn't expect them?",
    )
