"""A job that raises ends `failed` and says why; the worker goes on, even past an unknown id."""

import re

from jobs_kit.grading import UUID, Exercise, NotAttemptedError, expect, is_blank, points, service

GOOD = service.MARCH
TOO_EARLY = ("1890-01-01", "1890-12-31")  # the data begins in 2012
REVERSED = ("2012-12-31", "2012-01-01")
DATA = "data/seattle-weather.csv"
ID_OR_DIGIT = re.compile(rf"{UUID.pattern}|\d")


def is_attempted(source):
    """Return True if execute_job() is written and worker.py is another than before this exercise.

    Before it: as it was when an earlier part passed, or as this exercise hands it out. What passed
    with an except in it may be the answer itself: then it counts as attempted.
    Raises NotAttemptedError.
    """
    if "worker.py" not in source.modules():
        raise NotAttemptedError("nothing to judge yet: there is no worker.py")
    written = [node for node in source.nodes() if getattr(node, "name", None) == "execute_job"]
    if all(map(is_blank, written or source.works_in("worker.py"))):
        raise NotAttemptedError("nothing to judge yet: execute_job() has no body")
    noted = source.record().get("worker.py")
    texts = [text for text in noted if isinstance(text, str)] if isinstance(noted, list) else []
    before = [source.handed_out()["worker.py"], *(text for text in texts if "except" not in text)]
    if any(source.equals("worker.py", text) for text in before):
        raise NotAttemptedError("nothing to judge yet: worker.py is as it was before this exercise")
    return True


EXERCISE = Exercise(
    __file__,
    number=110,
    lesson="ask_for_status_and_results",
    title="Let a job fail and the worker live",
    files=("worker.py",),
    changes={"worker.py": ("execute_job",)},
    is_attempted=is_attempted,
    hints=(
        "Two things can go wrong in execute_job(): there is no job with this id, and the work "
        "raises. Which line is the first to notice each of them?",
        "Both need a try. Around the first line, for an id that no job has: say so and return. "
        "Around the work: except sets the status `failed` and stores the message; only where "
        "nothing was raised does the status become `complete` (a try may have an else).",
        "except Exception as error: catches whatever a job raises, and str(error) is its "
        "message. Store both in one step, at the job's key: "
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
        hint=hint_for_status(status, worker),
    )


def hint_for_status(status, worker):
    """Return a question that leads from the status of a bad job to its cause."""
    if status == "complete":
        return (
            "Which lines of execute_job() run whether the work has raised or not? (If it has not "
            "raised: does the worker do the analysis of `job_results`?)"
        )
    if worker.hint and not worker.failed_in_given_file:
        return worker.hint  # it is not what the analysis has raised
    if status == "in progress" and worker.running:
        return "The exception was caught. Which line says what became of the job?"
    if status == "in progress":
        return (
            "An exception that nobody catches ends the program. Which line raised it, which "
            "except would have to fit it, and what has to be said of the job there?"
        )
    if status == "submitted":
        return "The worker never came to this job. What has it done with the one before?"
    if status is None:
        return "Where has the job gone? Which of your lines deletes a key, or writes another kind?"
    return (
        "Statuses are submitted, in progress, complete, failed, spelled like this. If it is a "
        "message: where can a message be kept?"
    )


@points(3)
def test_a_job_that_raises_ends_failed(submission):
    """A job whose analysis raises ends `failed`"""
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
        hint="A failed job is still a job. Which of your lines takes fields away, or writes over them?",
    )


@points(2, after="test_a_job_that_raises_ends_failed")
def test_the_worker_goes_on(submission):
    """The worker goes on: the good jobs before and after the bad ones are complete"""
    dates = (GOOD, REVERSED, TOO_EARLY, GOOD)
    jids = [service.queue_job(submission, *pair) for pair in dates]
    worker = service.run_worker(submission)
    call = "\n".join(
        [f"{worker.call_text}, with four jobs on the queue:", *map(" to ".join, dates)]
    )
    expect(
        worker.running,
        "the worker waits for the next message",
        call=call,
        got=worker.outcome_text,
        hint="The job is over, and the program with it. What does the last line of your except do?",
    )
    for jid in (jids[0], jids[-1]):
        expect(
            submission.redis.status(jid) == "complete",
            "the good jobs are complete: the first and the last",
            call=call,
            got=service.job_and_worker(submission, jid, worker),
            hint="Which lines run for a job that does not raise?",
        )


@points(1, after="test_a_job_that_raises_ends_failed")
def test_whatever_it_raises(submission):
    """It ends `failed` whatever it raises, and not for a ValueError alone"""
    worker = service.run_worker(submission)
    with submission.without(DATA):
        jid = service.queue_job(submission, *GOOD)
        submission.settle(worker)
    submission.require_saved_first(jid)
    call = f"a good job, while {DATA} is missing"
    expect_failed(submission, jid, worker, call)


@points(1, after=("test_the_worker_goes_on", "test_whatever_it_raises"))
def test_a_message_says_why(submission):
    """A failed job has a message in Redis that says why it failed"""
    early = service.queue_job(submission, *TOO_EARLY)
    worker = service.run_worker(submission)
    with submission.without(DATA):
        unlucky = service.queue_job(submission, *GOOD)
        submission.settle(worker)
    messages = [submission.redis.words_about(jid) for jid in (early, unlucky)]
    call = f"a job from {' to '.join(TOO_EARLY)}, and a good one while {DATA} is missing"
    expect(
        all(messages),
        "beside the four fields of a failed job, or under a key with its id, there is a message",
        call=call,
        got="the status is failed, and nothing says why",
        hint="What was raised had a message for you. Where could it be kept, so that whoever asks for "
        "the job can read it?",
    )
    reasons = [ID_OR_DIGIT.sub("", message) for message in messages]
    expect(
        reasons[0] != reasons[1],
        "the message says why this job has failed",
        call=call,
        got=f"two jobs failed for two reasons, and both say: {messages[0]}",
        hint="Where does Python keep the reason, after `except Exception as error`?",
    )


def run_with_an_unknown_id(submission):
    """Let a worker meet an id that no job has, between two good jobs.

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
        worker.running,
        "the worker waits for the next message",
        call=call,
        got=worker.outcome_text,
        hint="What does the first line of execute_job() get for an id that no job has: None, something "
        "empty, an exception? And does your code look at it before it goes on?",
    )
    expect(
        submission.redis.status(last) not in (None, "submitted"),
        "the worker takes the job after it",
        call=call,
        got=service.job_and_worker(submission, last, worker),
        hint="What became of the worker at the second id?",
    )


@points(1, after="test_an_unknown_id_does_not_stop_the_worker")
def test_an_unknown_id_makes_no_job(submission):
    """An id that no job has does not become a job"""
    _, unknown, _, call = run_with_an_unknown_id(submission)
    kinds = submission.redis.kinds()
    keys = [key for (_, key), kind in kinds.items() if unknown in key and kind == "hash"]
    job = submission.redis.find_job(unknown)
    keys += [job.key] if job else []
    expect(
        not keys,
        "nothing that looks like a job is stored for this id",
        call=call,
        got=f"there is a key {keys and keys[0]}",
        hint="Which of your lines writes to the key of this job? hset() makes a hash where none is.",
    )
