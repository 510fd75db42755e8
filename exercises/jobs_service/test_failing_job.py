"""A job that raises ends `failed` and says why; the worker goes on, even past an unknown id."""

import ast
import contextlib
import re

from jobs_kit.grading import CheckError, Exercise, NotAttemptedError, expect, points
from jobs_kit.grading.programs.explanations import ending, own_frames
from jobs_kit.grading.programs.formats import UUID, dicts_in, other_id
from jobs_kit.grading.programs.hints import hint_for
from jobs_kit.redis_server.text import text

GOOD = ("2012-03-01", "2012-03-31")
TOO_EARLY = ("1890-01-01", "1890-12-31")  # the data begins in 2012
REVERSED = ("2012-12-31", "2012-01-01")
DATA = "data/seattle-weather.csv"
WORKS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.For | ast.While
FIELDS = {"id", "status", "start", "end"}
ID_OR_DIGIT = re.compile(rf"{UUID.pattern}|\d")


def is_attempted(source):
    """Return True if execute_job() is written and worker.py is another than before this exercise.

    Before it: as it was when an earlier part passed, or as this exercise hands it out. What passed
    with an except in it may be the answer itself: then it counts as attempted.
    Raises NotAttemptedError.
    """
    if "worker.py" not in source.modules():
        raise NotAttemptedError("nothing to judge yet: there is no worker.py")
    nodes = [node for file in source.modules() for node in ast.walk(source.tree(file))]
    written = [one for one in nodes if getattr(one, "name", None) == "execute_job"]
    worker = ast.walk(source.tree("worker.py"))
    if all(map(_is_blank, written or (one for one in worker if isinstance(one, WORKS)))):
        raise NotAttemptedError("nothing to judge yet: execute_job() has no body")
    noted = source.record().get("worker.py")
    texts = [one for one in noted if isinstance(one, str)] if isinstance(noted, list) else []
    before = [one for one in texts if "except" not in one]
    mine = source.tree("worker.py")
    if any(_is_tree_of(one, mine) for one in (source.handed_out()["worker.py"], *before)):
        raise NotAttemptedError("nothing to judge yet: worker.py is as it was before this exercise")
    return True


def _is_blank(function):
    """Tell whether nothing but `...`, pass and a docstring stands in a function."""
    return all(
        isinstance(one, ast.Pass)
        or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        for one in getattr(function, "body", ())
    )


def _is_tree_of(source, tree):
    try:
        return ast.dump(ast.parse(source)) == ast.dump(tree)
    except (SyntaxError, ValueError):
        return False


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


def queue_job(submission, start, end):
    """Queue a job with these dates, even where add_job() refuses them; return its id."""
    with contextlib.suppress(CheckError):
        jid, _, _ = submission.add_job(start, end)
        if saved(submission, jid).fields.get("start", start) == start:
            return jid
    jid, _, _ = submission.add_job(*GOOD)
    saved(submission, jid)
    submission.redis.change_job(jid, start=start, end=end)
    return jid


def saved(submission, jid):
    """Return the Record of a job that was added."""
    job = submission.redis.find_job(jid)
    expect(
        job,
        "the job is saved, with its status",
        call=f"jobs.add_job{GOOD}",
        got=f"the id {jid}, and no job with it",
        hint="This belongs to `add_job`: check that exercise first.",
    )
    return job


def run(submission):
    """Start the worker and let it do all that is queued; return it."""
    worker = submission.start("worker.py")
    settle(submission, worker)
    return worker


def settle(submission, worker):
    """Wait until a worker has ended, or waits for the next message."""
    if not submission.settle(worker) or worker.events("time_limit"):
        raise submission.timed_out(worker, "the worker comes back for the next message")


def what_became_of(submission, jid, worker):
    """Return in words what became of a job and of the worker."""
    doing = f"has ended: {ending(worker)}"
    if worker.running:
        doing = "waits for the next message" if submission.waits(worker) else "still runs"
    return f"the job is {submission.redis.status(jid) or 'not there'}; the worker {doing}"


def expect_failed(submission, jid, worker, call):
    """Raise CheckError unless the job is failed."""
    status = submission.redis.status(jid)
    expect(
        status == "failed",
        "the status of this job becomes `failed`",
        call=call,
        got=what_became_of(submission, jid, worker),
        hint=hint_for_status(status, worker),
    )


def hint_for_status(status, worker):
    """Return a question that leads from the status of a bad job to its cause."""
    if status == "complete":
        return (
            "Which lines of execute_job() run whether the work has raised or not? (If it has not "
            "raised: does the worker do the analysis of `job_results`?)"
        )
    error = (worker.events("error") or [{}])[-1]
    frames = error.get("frames") or [{}]
    if error and own_frames(frames[-1:]) and hint_for(error):
        return hint_for(error)  # it is not what the analysis has raised
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


def said_of(redis, jid):
    """Return as text what Redis holds under the id of a job, apart from the four fields."""
    said, name = [], jid.encode()
    stored = redis.keys()
    for db, key, kind in stored:
        client = redis.client(db)
        if kind == "hash":
            fields = {text(one): text(value) for one, value in client.hgetall(key).items()}
            said += _rest(fields, jid, name in key)
        elif kind == "string":
            value = text(client.get(key))
            objects = dicts_in(value)
            said += [one for fields in objects[:1] for one in _rest(fields, jid, name in key)]
            said += [value] if name in key and not objects else []
        else:
            values = redis.texts(db, key, kind)
            said += [text(value) for value in values if name in key or name in value]
    return " ".join(said).strip()


def _rest(fields, jid, is_of_job):
    is_of_job = is_of_job or jid in (fields.get("id"), fields.get("jid"), fields.get("job_id"))
    return [
        str(value)
        for name, value in fields.items()
        if value and (name not in FIELDS if is_of_job else jid in name)
    ]


@points(3)
def test_a_job_that_raises_ends_failed(submission):
    """A job whose analysis raises ends `failed`"""
    queue_job(submission, *GOOD)
    bad = queue_job(submission, *TOO_EARLY)
    before = saved(submission, bad).fields
    worker = run(submission)
    call = f"a job from {' to '.join(TOO_EARLY)}; the data begins in 2012"
    expect_failed(submission, bad, worker, call)
    after = saved(submission, bad).fields
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
    jids = [queue_job(submission, *one) for one in dates]
    worker = run(submission)
    call = "\n".join(
        [f"{worker.call_text}, with four jobs on the queue:", *map(" to ".join, dates)]
    )
    expect(
        worker.running,
        "the worker waits for the next message",
        call=call,
        got=ending(worker),
        hint="The job is over, and the program with it. What does the last line of your except do?",
    )
    for jid in (jids[0], jids[-1]):
        expect(
            submission.redis.status(jid) == "complete",
            "the good jobs are complete: the first and the last",
            call=call,
            got=what_became_of(submission, jid, worker),
            hint="Which lines run for a job that does not raise?",
        )


@points(1, after="test_a_job_that_raises_ends_failed")
def test_whatever_it_raises(submission):
    """It ends `failed` whatever it raises, and not for a ValueError alone"""
    worker = run(submission)
    with submission.without(DATA):
        jid = queue_job(submission, *GOOD)
        settle(submission, worker)
    submission.require_saved_first(jid)
    call = f"a good job, while {DATA} is missing"
    expect_failed(submission, jid, worker, call)


@points(1, after=("test_the_worker_goes_on", "test_whatever_it_raises"))
def test_a_message_says_why(submission):
    """A failed job has a message in Redis that says why it failed"""
    early = queue_job(submission, *TOO_EARLY)
    worker = run(submission)
    with submission.without(DATA):
        unlucky = queue_job(submission, *GOOD)
        settle(submission, worker)
    messages = [said_of(submission.redis, jid) for jid in (early, unlucky)]
    call = f"a job from {' to '.join(TOO_EARLY)}, and a good one while {DATA} is missing"
    expect(
        all(messages),
        "beside the four fields of a failed job, or under a key with its id, there is a message",
        call=call,
        got="the status is failed, and nothing says why",
        hint="What was raised had a message for you. Where could it be kept, so that whoever asks for "
        "the job can read it?",
    )
    said = [ID_OR_DIGIT.sub("", message) for message in messages]
    expect(
        said[0] != said[1],
        "the message says why this job has failed",
        call=call,
        got=f"two jobs failed for two reasons, and both say: {messages[0]}",
        hint="Where does Python keep the reason, after `except Exception as error`?",
    )


def run_with_an_unknown_id(submission):
    """Let a worker meet an id that no job has, between two good jobs.

    Returns (worker, the unknown id, id of the job after it, the call as text).
    """
    jid, (db, key), message = submission.add_job(*GOOD)
    strange, unknown = other_id(message, jid)
    submission.redis.put(db, key, strange)
    last, _, _ = submission.add_job(*GOOD)
    worker = run(submission)
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
        got=ending(worker),
        hint="What does the first line of execute_job() get for an id that no job has: None, something "
        "empty, an exception? And does your code look at it before it goes on?",
    )
    expect(
        submission.redis.status(last) not in (None, "submitted"),
        "the worker takes the job after it",
        call=call,
        got=what_became_of(submission, last, worker),
        hint="What became of the worker at the second id?",
    )


@points(1, after="test_an_unknown_id_does_not_stop_the_worker")
def test_an_unknown_id_makes_no_job(submission):
    """An id that no job has does not become a job"""
    _, unknown, _, call = run_with_an_unknown_id(submission)
    stored = submission.redis.keys()
    made = [text(key) for _, key, kind in stored if unknown.encode() in key and kind == "hash"]
    made += [one.key for one in [submission.redis.find_job(unknown)] if one]
    expect(
        not made,
        "nothing that looks like a job is stored for this id",
        call=call,
        got=f"there is a key {made and made[0]}",
        hint="Which of your lines writes to the key of this job? hset() makes a hash where none is.",
    )
