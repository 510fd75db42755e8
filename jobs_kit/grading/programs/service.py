"""Steps that the checks of the Jobs service share: ask its API, run its worker, look at its jobs.

    response = service.expect_refused(api, {}, hint="What is an empty dict in Python?")
    worker = service.run_worker(submission)
    service.expect_journey(submission, worker, [jid], "python worker.py, with one job on the queue")

A check imports this module as a whole. Each `expect_...` raises CheckError.
"""

import contextlib

from jobs_kit.grading.expectations import CheckError, NotReachedError, TimedOutError, expect
from jobs_kit.grading.limits import CHECK_TIMEOUT_SECONDS
from jobs_kit.grading.programs.hints import hint_for_not_started
from jobs_kit.grading.text import arrows

UNKNOWN = "00000000-0000-4000-8000-000000000000"  # an id that no job has
JANUARY, MARCH = ("2012-01-01", "2012-01-31"), ("2012-03-01", "2012-03-31")  # good dates
IN_PROGRESS, COMPLETE = "in progress", "complete"
JOURNEY = f"submitted → {IN_PROGRESS} → {COMPLETE}"
ASKS_NO_QUEUE = "Which line of worker.py asks the queue for a message?"
ONLY_READ = "A GET should only read. Which line of yours writes?"

# The API


def expect_refused(api, body, hint):
    """POST a body, expect 400 or 422, and return the Response. hint: a string, or hint(response)."""
    response = api.post("/jobs", body)
    claim = "400 (or 422): the request is wrong, not the server"
    return _expect_status(response, (400, 422), claim, hint)


def expect_not_found(api, path, hint):
    """GET a path with an id that no job has, expect 404, and return the Response.

    hint: a string, or hint(response).
    """
    response = api.get(path)
    response.call_text += ", an id that no job has"
    return _expect_status(response, (404,), "404: there is no such job", hint)


def _expect_status(response, statuses, claim, hint):
    """Expect one of these status codes; return the Response. hint: a string, or hint(response)."""
    if response.status not in statuses:
        hint = hint(response) if callable(hint) else hint
        expect(False, claim, call=response, hint=hint)
    return response


def expect_only_read(is_unchanged, what, response, change):
    """Expect that a GET wrote nothing. what: was asked for; change: what differs now, in words."""
    expect(
        is_unchanged,
        f"asking for {what} changes nothing in Redis",
        call=response,
        got=f"{response.outcome_text}\nand {change}",
        hint=ONLY_READ,
    )


def hint_for_status_code(response):
    """Return a question that leads from a status code to its cause."""
    if response.status >= 500:
        return response.hint or (
            "500 means that your function raised an exception. Which line of yours is "
            "named last, and what is the value of each name in it?"
        )
    if response.status == 404 and response.json:
        return (
            "Your own line returned this 404: the route works, but the job was not found. "
            "At which key was the job saved, and at which key does your function look?"
        )
    return {
        400: "Which line of your code rejects this body?",
        404: "Which path and which methods does your route name? Does your function look at "
        "the key where the job was saved? (A route below app.run() is never added.)",
        405: "The path exists, but not for this method. Which methods does your route name?",
    }.get(response.status, "Which line of your function sets the status code?")


def hint_for_bad_job(body):
    """Return a question about a body that is JSON and no job: it asks for what is wrong first."""
    if not isinstance(body, dict):
        return f"In Python this body is {body!r}, not a dict. Which line of yours checks its type?"
    missing = [name for name in ("start", "end") if name not in body]
    if missing:
        return f"This body has no {missing[0]}. Which line of yours checks whether it is there?"
    name = "end" if isinstance(body["start"], str) else "start"
    if body[name] is None:
        return f"In Python this {name} is None. Is None a date? Which line of yours checks it?"
    return f"In Python this {name} is {body[name]!r}. Which line checks whether it is a string?"


# Jobs


def saved_job(submission):
    """Call add_job(); return (id, Record). Raises NotReachedError if that fails."""
    jid, _, _ = submission.add_job(*JANUARY)
    record = submission.redis.find_job(jid)
    if record is None:
        raise NotReachedError(
            "add_job() does not save a job yet: finish the exercise add_job first"
        )
    return jid, record


def set_status(submission, jid, status):
    """Call update_job_status(); return the Call."""
    return submission.call("jobs", "update_job_status", jid, status)


def queue_job(submission, start, end):
    """Queue a job with these dates, even where add_job() refuses them; return its id."""
    with contextlib.suppress(CheckError):
        jid, _, _ = submission.add_job(start, end)
        if record_of(submission, jid).fields.get("start", start) == start:
            return jid
    jid, _, _ = submission.add_job(*MARCH)
    record_of(submission, jid)
    submission.redis.change_job(jid, start=start, end=end)
    return jid


def record_of(submission, jid):
    """Return the Record of a job that was added; expect that there is one."""
    record = submission.redis.find_job(jid)
    expect(
        record,
        "the job is saved, with its status",
        call=f"jobs.add_job{MARCH}",
        got=f"the id {jid}, but no job with this id",
        hint="This belongs to `add_job`: check that exercise first.",
    )
    return record


# The worker


def run_worker(submission):
    """Start worker.py and let it do all queued jobs; return the Process. Raises TimedOutError."""
    worker = submission.start("worker.py")
    submission.settle(worker)
    return worker


def start_any_worker(submission, first):
    """Start worker.py; return it if it waits, or has ended because its queue was empty.

    first: the name of the check that asks whether it waits. Raises NotReachedError.
    """
    with contextlib.suppress(CheckError):
        worker = run_worker(submission)
        if worker.running or submission.has_run_out(worker):
            return worker
    raise NotReachedError(
        "it waits for another check: python worker.py waits while the queue is empty",
        waits_for=first,
    )


def let_go_on(submission, worker):
    """Let a worker do newly queued jobs, started again if it has ended; return it."""
    worker = submission.go_on(worker)
    submission.settle(worker)
    return worker


def start_worker(submission):
    """Start worker.py and expect that it waits for a message; return the Process."""
    worker = submission.start("worker.py")
    try:
        submission.settle(worker)
    except TimedOutError as late:
        if "processor time" in worker.events("time_limit")[0] or submission.redis.polled_lists():
            raise
        raise _asks_no_queue(worker, late) from None
    submission.let_time_pass(worker)
    submission.settle(worker)
    expect(
        worker.running,
        "it waits for the next message and does not end",
        call=worker.call_text,
        got=printed_and_ended(worker),
        hint=hint_for_end(submission, worker),
    )
    return worker


def _asks_no_queue(worker, late):
    """Return the CheckError for a worker that is late, a TimedOutError, and asks no queue."""
    return CheckError(
        "it asks the queue for messages",
        call=worker.call_text,
        got=f"it runs, but it asks no queue for a message\n{late.got.partition(chr(10))[2]}".strip(),
        hint=ASKS_NO_QUEUE,
    )


def seconds_for(jids):
    """Return how long to wait for the end of these jobs, in seconds."""
    return CHECK_TIMEOUT_SECONDS * len(jids)


def work_off(submission, jids):
    """Start worker.py and let it do the jobs that wait, also one that ends early; return it."""
    worker = submission.start("worker.py")

    def is_over():
        again = any(len(submission.redis.history(jid)) > 6 for jid in jids)
        return again or submission.has_settled(worker)

    in_time = submission.until(is_over, seconds_for(jids))
    if not in_time or worker.events("time_limit"):
        raise submission.timed_out(worker, "it does its work and waits for the next message")
    return worker


def printed_and_ended(worker):
    """Describe what a worker printed, where it did, and how it ended."""
    if worker.error:
        return f"{worker.printed_text}\nthe program ended".removeprefix("(nothing)\n")
    return worker.outcome_text


def how_far(submission, worker, count):
    """Describe how many of so many ids a worker took off the queue before it ended, and how."""
    taken = count - submission.redis.count_waiting()
    end = printed_and_ended(worker).removesuffix("\nthe program ended")
    return f"it took {taken} of the {count} ids off the queue; then:\n{end}"


def job_and_worker(submission, jid, worker):
    """Describe in words the status of a job, and what the worker does now."""
    doing = f"has ended: {worker.outcome_text}"
    if worker.running:
        doing = "waits for the next message" if submission.waits(worker) else "still runs"
    return f"the job is {submission.redis.status(jid) or 'not there'}; the worker {doing}"


def state_of(worker):
    """Describe in words that a worker runs on, or how it ended."""
    return "the worker is still running" if worker.running else worker.outcome_text


def hint_for_end(submission, worker):
    """Return a question that leads from the end of a worker to its cause."""
    if worker.error:
        return _hint_for_decorator(worker.error) or worker.any_hint
    if worker.events("threads") and not submission.has_run_out(worker):
        return (
            "One of its threads was still waiting at the queue. Does the program wait for "
            "that thread?"
        )
    if worker.events("redis_connection"):
        return (
            "It asked its queue once, found nothing, and ended. Which argument sets how "
            "long a worker waits, and which line asks for a second message?"
        )
    return hint_for_not_started(submission.source, "worker.py")


def _hint_for_decorator(error):
    """Return a question about the use of the decorator, or of the queue, that raised; or None."""
    message = error.get("message", "")
    line = (error.get("frames") or [{}])[-1].get("text", "")
    if error.get("type") == "TypeError" and line.startswith("@"):
        return "Is this a decorator? Which method of your queue decorates the worker in lesson 04?"
    if "missing 1 required positional argument" in message:
        return (
            "The decorator of your queue q passes the id in. Is that decorator above the function?"
        )
    if "positional argument" in message and "given" in message:
        return "The decorator passes the id in. What do you pass besides it?"
    if error.get("type") == "KeyError" and message == "None":
        return "get() returns None when the queue is empty. Which call waits instead?"
    return None


# The statuses of a job


def expect_journey(submission, worker, jids, call):
    """Expect that each of these jobs became in progress, and then complete."""
    for number, jid in enumerate(jids, 1):
        history = submission.redis.history(jid)
        which = "the job" if len(jids) == 1 else f"job {number} of {len(jids)}"
        journey = arrows(history) or "no status at all"
        expect(
            journey == JOURNEY,
            f"the status of {which} goes {JOURNEY}",
            call=call,
            got=f"{journey}; {state_of(worker)}",
            hint=_hint_for_history(submission, worker, jid, history),
        )


def _hint_for_history(submission, worker, jid, history):
    """Return a question that leads from the statuses of a job to the cause of a wrong one."""
    if set(history) - {"submitted", IN_PROGRESS, COMPLETE}:
        return "Which of these statuses is not in the task? Compare them letter by letter."
    if history.count(IN_PROGRESS) > 1:
        return _hint_for_second_run(submission, jid)
    if "was never awaited" in worker.output:
        return (
            "Calling an `async def` does nothing until the call is awaited. Does HotQueue await it?"
        )
    if history == ["submitted"] and worker.running and not submission.redis.queues():
        return (
            "The id is off the queue, but the status has not changed. What does your "
            "function get? Print it in its first line."
        )
    if IN_PROGRESS not in history and not worker.error:
        return "Which line of your function sets the status when the work begins?"
    if COMPLETE not in history and not worker.error:
        return "Which line of your function sets the status when the work is done? Is it reached?"
    return worker.any_hint or "In which order does your function take its three steps?"


def _hint_for_second_run(submission, jid):
    """Return a question that leads from a job that begins again to its cause."""
    if len(submission.redis.pushes_of(jid)) > 1:
        return (
            "The job begins again, because its id was put on the queue again. Which line does that?"
        )
    return (
        "The job begins again, although its id was queued only once. Which line takes "
        "the next id? Does it run for each job?"
    )
