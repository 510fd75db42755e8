"""A job that raises ends as `failed`, with a message; the worker goes on, also after an unknown id."""

import ast
import re

from jobs_kit.grading import (
    UUID,
    Exercise,
    NotAttemptedError,
    expect,
    is_blank,
    moments,
    points,
    service,
)

GOOD = service.MARCH
TOO_EARLY = ("1890-01-01", "1890-12-31")  # the data begins in 2012
SIX = 6  # jobs that fail for the same reason: a message that is drawn by lot differs among them
REVERSED = ("2012-12-31", "2012-01-01")
DATA = "data/seattle-weather.csv"
ID_OR_DIGIT = re.compile(rf"{UUID.pattern}|\d")


def is_attempted(source):
    """Return True if execute_job() is written and worker.py differs from the one before this exercise.

    Before it: as it was when an earlier part passed, or as this exercise hands it out. A file that
    passed with an except in it may be the solution itself: then it counts as attempted.
    Raises NotAttemptedError.
    """
    if "worker.py" not in source.modules():
        raise NotAttemptedError("nothing to check yet: there is no worker.py")
    written = [node for node in source.nodes() if getattr(node, "name", None) == "execute_job"]
    if all(map(is_blank, written or source.works_in("worker.py"))):
        raise NotAttemptedError("nothing to check yet: execute_job() has no body")
    noted = source.record().get("worker.py")
    texts = [text for text in noted if isinstance(text, str)] if isinstance(noted, list) else []
    before = [source.handed_out()["worker.py"], *(text for text in texts if "except" not in text)]
    if any(source.equals("worker.py", text) for text in before):
        raise NotAttemptedError("nothing to check yet: worker.py is as it was before this exercise")
    return True


EXERCISE = Exercise(
    __file__,
    number=110,
    lesson="ask_for_status_and_results",
    title="Let a job fail and keep the worker running",
    files=("worker.py",),
    changes={"worker.py": ("execute_job",)},
    is_attempted=is_attempted,
    hints=(
        "Two things can go wrong in execute_job(): no job has this id, or the work raises an "
        "exception. Which line of execute_job() raises in each case?",
        "Write a try for each. Around the first line, for an unknown id: print a message and "
        "return. Around the work: the except sets `failed` and stores the message, and the else "
        "of the try sets `complete`, because it runs only if nothing was raised.",
        "`except Exception as error:` catches whatever a job raises, and str(error) is the "
        "message. Store status and message in one step, at the job's key: "
        'rd.hset(key, mapping={"status": "failed", "error": str(error)}).',
    ),
)


def expect_failed(submission, jid, worker, call):
    """Raise CheckError unless the job is failed."""
    status = submission.redis.status(jid)
    expect(
        status == "failed",
        "the status of this job becomes `failed`",
        call=call,
        got=service.job_and_worker(submission, jid, worker),
        hint=hint_for_status(submission, status, worker),
    )


def hint_for_status(submission, status, worker):
    """Return a question that leads from the status of a bad job to its cause."""
    if status == "complete":
        return (
            "Which line sets `complete`, even if the work raises? (If the work doesn't raise: does "
            "the worker call the analysis of `job_results`?)"
        )
    if worker.hint and not worker.failed_in_given_file:
        return worker.hint  # it was not raised by the analysis
    if status == "in progress" and worker.running:
        return "The exception was caught. Which line of the except sets the status `failed`?"
    if status == "in progress":
        return hint_for_raise(submission, worker) or (
            "Nothing caught this exception, so it ended the worker. Which line raised it, and is "
            "that line inside a try?"
        )
    if status == "submitted":
        return "The worker never got this job. What did it do with the one before?"
    if status is None:
        return "The job is gone. Which of your lines deletes its key, or writes over it?"
    return (
        "The statuses are submitted, in progress, complete and failed, spelled like this. A message "
        "belongs in another field: which line writes it?"
    )


def hint_for_raise(submission, worker):
    """Return a question about the line of an except that ended the worker, or None."""
    source, frames = submission.source, (worker.error or {}).get("frames", [])
    places = [(frame["file"], frame["line"]) for frame in frames]
    places = places or [("worker.py", None)]  # a program that exits leaves no frames
    for file, running in places:
        line = line_that_ends(source, file, running) if file in source.modules() else None
        if line:
            return (
                f"The except caught it, but line {line} of {file}, inside the except, ends the worker. "
                "What should happen there instead?"
            )
    return None


def line_that_ends(source, file, running):
    """Return the number of a line in an except that ends a program, or None.

    running: the number of the line that raised; None for a program that exited.
    """
    tries = [node for node in source.nodes(file) if isinstance(node, ast.Try)]
    tries = [node for node in tries if running is None or covers(node, running)]
    for node in [
        inner for outer in tries for handler in outer.handlers for inner in ast.walk(handler)
    ]:
        is_exit = isinstance(node, ast.Raise | ast.Call) and "xit" in ast.unparse(node)
        if is_exit or (running and isinstance(node, ast.Raise)):
            return node.lineno
    return None


def covers(node, line):
    """Tell whether a line is in the body of a try or in one of its handlers."""
    parts = [(node.body[0].lineno, node.body[-1].end_lineno)]
    parts += [(handler.lineno, handler.end_lineno) for handler in node.handlers]
    return any(first <= line <= last for first, last in parts)


@points(3)
def test_a_job_that_raises_ends_failed(submission):
    """A job whose analysis raises an exception ends as `failed`"""
    service.queue_job(submission, *GOOD)
    bad = service.queue_job(submission, *TOO_EARLY)
    before = service.record_of(submission, bad).fields
    worker = service.run_worker(submission)
    call = f"a job from {' to '.join(TOO_EARLY)}; the data begins in 2012"
    expect_failed(submission, bad, worker, call)
    after = service.record_of(submission, bad).fields
    lost = [name for name in ("id", "start", "end") if after.get(name) != before.get(name)]
    expect(
        not lost,
        "the rest of the job stays: " + ", ".join(f"{name}: {before.get(name)}" for name in lost),
        call=call,
        got="\n".join(f"{name}: {after.get(name, '(missing)')}" for name in lost),
        hint="A failed job keeps its id, start and end. Which of your lines deletes or overwrites them?",
    )


@points(2, after="test_a_job_that_raises_ends_failed")
def test_the_worker_goes_on(submission):
    """The worker goes on: the good jobs before and after the bad ones become complete"""
    dates = (GOOD, REVERSED, TOO_EARLY, GOOD)
    jids = [service.queue_job(submission, *pair) for pair in dates]
    worker = service.run_worker(submission)
    call = "\n".join(
        [f"{worker.call_text}, with four jobs on the queue:", *map(" to ".join, dates)]
    )
    expect(
        worker.running or submission.has_run_out(worker),
        "the worker waits for the next message",
        call=call,
        got=service.how_far(submission, worker, len(jids)),
        hint=hint_for_raise(submission, worker)
        or worker.any_hint
        or "The job is over, and so is the worker. Which line of yours ends it?",
    )
    for jid in (jids[0], jids[-1]):
        expect(
            submission.redis.status(jid) == "complete",
            "the good jobs are complete: the first and the last",
            call=call,
            got=service.job_and_worker(submission, jid, worker),
            hint="Which line sets `complete` if a job raises nothing?",
        )


@points(1, after="test_a_job_that_raises_ends_failed")
def test_whatever_it_raises(submission):
    """A job ends as `failed` for any exception, not only for a ValueError"""
    worker = service.run_worker(submission)
    with submission.without(DATA):
        jid = service.queue_job(submission, *GOOD)
        worker = service.let_go_on(submission, worker)
    submission.require_saved_first(jid)
    call = f"a good job, while {DATA} is missing"
    expect_failed(submission, jid, worker, call)


@points(1, after=("test_the_worker_goes_on", "test_whatever_it_raises"))
def test_a_message_says_why(submission):
    """A failed job has a message in Redis that explains why it failed"""
    early = queue_jobs(submission)
    for year, jid in enumerate(early, 1890):
        submission.redis.change_job(jid, start=f"{year}-01-01", end=f"{year}-12-31")
    worker = service.run_worker(submission)
    with submission.without(DATA):
        unlucky = queue_jobs(submission)
        worker = service.let_go_on(submission, worker)
    messages = [submission.redis.words_about(jid) for jid in early + unlucky]
    call = f"jobs from 1890 and the years after it, and good ones while {DATA} is missing"
    expect(
        all(messages),
        "there is a message, in another field of the failed job or under a key with its id",
        call=call,
        got="the status is failed, and nothing explains why",
        hint="The exception has a message. Which line of the except stores it in Redis?",
    )
    reasons = messages[:SIX], messages[SIX:]
    expect(
        explain(*reasons) and explain(*reversed(reasons)),
        "the message explains why this job failed",
        call=call,
        got=describe_messages(*reasons),
        hint="After `except Exception as error`, error holds the reason. Does your message contain it?",
    )


def queue_jobs(submission):
    """Add six good jobs in one program; return their ids."""
    jids = submission.call("jobs", "add_job", *GOOD, times=SIX).job_ids
    for jid in jids:
        service.record_of(submission, jid)
    return jids


def explain(messages, others):
    """Tell whether messages about one reason share a word that no message about another one has."""
    return set.intersection(*map(words_in, messages)).difference(*map(words_in, others))


def describe_messages(*reasons):
    """Describe two messages that don't explain a reason: of one reason if they differ there."""
    for first, *others in reasons:
        different = [each for each in others if words_in(each) != words_in(first)]
        if different:
            return (
                f"two jobs failed for the same reason, with the messages\n{first}\n{different[0]}"
            )
    return f"two jobs failed for two reasons, and both have the message: {reasons[0][0]}"


def words_in(message):
    """Return the words of a message (a set), without ids and digits."""
    return set(re.findall(r"\w+|[^\w\s]", ID_OR_DIGIT.sub("", message)))


def run_with_an_unknown_id(submission):
    """Give a worker an id that no job has, between two good jobs.

    Returns (worker, the unknown id, id of the job after it, the call as text).
    """
    unknown = submission.queue_unknown_id(*GOOD)
    last, _, _ = submission.add_job(*GOOD)
    worker = service.run_worker(submission)
    call = f"{worker.call_text}, with three ids on the queue; no job has the second one, {unknown}"
    return worker, unknown, last, call


@points(2)
def test_an_unknown_id_does_not_stop_the_worker(submission):
    """An id that no job has does not stop the worker"""
    worker, _, last, call = run_with_an_unknown_id(submission)
    expect(
        worker.running or submission.has_run_out(worker),
        "the worker waits for the next message",
        call=call,
        got=service.how_far(submission, worker, 3),
        hint=hint_for_raise(submission, worker)
        or "Which line of execute_job() is the first to use an id that no job has? Look at what it "
        "gets: an exception, None, or an empty dict.",
    )
    expect(
        submission.redis.status(last) not in (None, "submitted"),
        "the worker takes the next job",
        call=call,
        got=service.job_and_worker(submission, last, worker),
        hint="The worker stopped at the second id. Which line keeps it there?",
    )


@points(1, after="test_an_unknown_id_does_not_stop_the_worker")
def test_an_unknown_id_makes_no_job(submission):
    """An id that no job has does not become a job"""
    _, unknown, last, call = run_with_an_unknown_id(submission)
    own = submission.redis.find_job(last).key.replace(last, unknown)
    keys = [
        key for (_, key), kind in submission.redis.kinds().items() if (key, kind) == (own, "hash")
    ]
    keys += [job.key for job in submission.redis.records_of(unknown)]
    expect(
        not keys,
        "nothing that looks like a job is stored for this id",
        call=call,
        got=f"there is a key {keys and keys[0]}",
        hint="hset() creates a hash if there is none. Which of your lines calls it for this id?",
    )
    moments.expect_no_ghost(submission, 0, call, unknown, own)
