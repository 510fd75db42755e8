"""worker.py takes ids off the queue for ever, and each job becomes in progress, then complete."""

import ast

from jobs_kit.grading import CheckError, Exercise, NotReachedError, TimedOutError, expect, points
from jobs_kit.grading.limits import CHECK_TIMEOUT_SECONDS
from jobs_kit.grading.programs.explanations import ending, printed
from jobs_kit.grading.programs.formats import jid_of
from jobs_kit.grading.programs.hints import hint_for
from jobs_kit.grading.programs.recursion import expect_no_recursion
from jobs_kit.grading.programs.redis_recorder import HASH_WRITES, OTHER_WRITES
from jobs_kit.grading.source.definitions import defined_in, public_name
from jobs_kit.grading.text import arrows, short
from jobs_kit.redis_server.text import text


def is_attempted(source):
    """Tell whether execute_job() is written, or a worker of another name, or in a class."""
    if source.differs("execute_job", "worker.py"):
        return True
    if "worker.py" not in source.modules():
        return False
    tree = source.tree("worker.py")
    works = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.For | ast.While
    is_there = "execute_job" in map(public_name, dict(defined_in(tree)))
    return not is_there and any(isinstance(node, works) for node in ast.walk(tree))


EXERCISE = Exercise(
    __file__,
    number=70,
    lesson="build_the_jobs_service",
    title="Write the worker",
    files=("worker.py", "jobs.py"),
    changes={"worker.py": ("execute_job",)},
    is_attempted=is_attempted,
    records=("worker.py",),
    hints=(
        "Lesson 03 turns a function into a worker. What stands above the function there, and what "
        "is the last line of the program? Which object of jobs.py is the queue?",
        "The decorator belongs to the queue q, which lives in jobs. The body has three steps: "
        "say that the work has begun, do it (sleep), say that it is done. Then the file has to "
        "call the function.",
        "@jobs.q.worker above def execute_job(jid); inside jobs.update_job_status(jid, …) twice "
        'and time.sleep(…) between; below, under if __name__ == "__main__", execute_job().',
    ),
)

START, END = "2012-01-01", "2012-01-31"
IN_PROGRESS, COMPLETE = "in progress", "complete"
WRITES = HASH_WRITES | OTHER_WRITES
ASKS_NO_QUEUE = "Which line of worker.py takes something off a queue, or has it taken?"
JOURNEY = f"submitted → {IN_PROGRESS} → {COMPLETE}"


def saved_job(submission):
    """Call add_job(); return (id, Record). Raises NotReachedError when it doesn't do its part."""
    jid, _, _ = submission.add_job(START, END)
    record = submission.redis.find_job(jid)
    if record is None:
        raise NotReachedError("add_job() saves no job yet; the exercise add_job comes first")
    return jid, record


def records_of(submission, jid):
    """Return the Records of a job: there should be one."""
    return [one for one in submission.redis.jobs() if jid in one.key or one.fields.get("id") == jid]


def update(submission, jid, record, status):
    """Call update_job_status(); return (call, the Record at the same place as before or None)."""
    call = submission.call("jobs", "update_job_status", jid, status)
    expect(
        call.process.events("value"),
        "it sets the status and comes back",
        call=call,
        hint=hint_for(call.error),
    )
    same = (one for one in submission.redis.jobs() if (one.db, one.key) == (record.db, record.key))
    return call, next(same, None)


def start(submission):
    """Start worker.py and wait until it waits for a message; return the process."""
    process = submission.start("worker.py")
    expected = "it waits for the next message, and does not end"
    try:
        submission.settle(process)
    except TimedOutError as late:
        if "processor time" in process.events("time_limit")[0] or submission.redis.polled_lists():
            raise
        raise CheckError(
            "it asks the queue for messages",
            call=process.call_text,
            got=f"it runs, and asks no queue for anything\n{late.got.partition(chr(10))[2]}".strip(),
            hint=ASKS_NO_QUEUE,
        ) from None
    submission.let_time_pass(process)
    submission.settle(process)
    expect(
        process.running,
        expected,
        call=process.call_text,
        got=printed_and_ended(process),
        hint=why_ended(process),
    )
    return process


def work_off(submission, jids):
    """Start worker.py and let it do the jobs that wait; return the process."""
    process = submission.start("worker.py")

    def is_over():
        again = any(len(submission.redis.history(jid)) > 6 for jid in jids)
        return again or submission.has_settled(process)

    if not submission.until(is_over, CHECK_TIMEOUT_SECONDS * len(jids)) or process.events(
        "time_limit"
    ):
        raise submission.timed_out(process, "it does its work and waits for the next message")
    return process


def printed_and_ended(process):
    """Return in words what a program printed, where it did, and how it ended."""
    if process.events("error"):
        return f"{printed(process)}\nthe program ended".removeprefix("nothing\n")
    return ending(process)


def why_ended(process):
    """Return a question that leads from the end of a worker to its cause."""
    error = (process.events("error") or [{}])[-1]
    message = error.get("message", "")
    line = (error.get("frames") or [{}])[-1].get("text", "")
    if error.get("type") == "TypeError" and line.startswith("@"):
        return "Is this a decorator? Which method of your queue stands above a worker in lesson 03?"
    if "missing 1 required positional argument" in message:
        return (
            "Who is to hand in the id: you, or the decorator? Is the decorator there, and is it "
            "that of your queue q?"
        )
    if "positional argument" in message and "given" in message:
        return "The decorator hands in the message by itself. What do you hand in beside it?"
    if error.get("type") == "KeyError" and message == "None":
        return "What does get() return when the queue is empty, and which call waits instead?"
    if error:
        return hint_for(error)
    if process.events("threads"):
        return "A thread of it still waited at the queue. Does the program wait for the thread?"
    if process.events("redis_connection"):
        return (
            "It came to its queue, found nothing, and ended. Which argument says how long a worker "
            "waits, and what would be asked for a second message?"
        )
    return "To define a worker does not start it. Which line calls it, and is that line reached?"


def how_it_is(process):
    """Return in words that a worker runs on, or how it ended."""
    return "the worker runs on" if process.running else ending(process)


def shown(journey):
    return arrows(journey) or "no status at all"


def expect_complete(submission, process, jids, call):
    """Expect that each of these jobs became in progress and then complete."""
    for number, jid in enumerate(jids, 1):
        history = submission.redis.history(jid)
        error = (process.events("error") or [None])[-1]
        if set(history) - {"submitted", IN_PROGRESS, COMPLETE}:
            hint = "Which of these statuses does the task not know? Compare letter by letter."
        elif history.count(IN_PROGRESS) > 1:
            hint = "The job begins again. Who has put its id on the queue once more?"
            if (
                sum(jid.encode() in b" ".join(one.arguments) for one in submission.redis.pushes())
                < 2
            ):
                hint = (
                    "The job begins again, and its id was put on the queue once. Which line takes "
                    "the next id, and does it run for each job?"
                )
        elif "was never awaited" in process.output:
            hint = "A call of an `async def` does nothing until somebody awaits it. Does HotQueue?"
        elif history == ["submitted"] and process.running and not submission.redis.queues():
            hint = (
                "The id is off the queue, and the status is as it was. Which line took the id, and "
                "what became of it then? Print it in the first line of your function."
            )
        elif IN_PROGRESS not in history and not error:
            hint = "Which line of your function tells Redis that the work begins?"
        elif COMPLETE not in history and not error:
            hint = "What does your function do when the work is done, and does it come to that?"
        else:
            hint = hint_for(error) or "In which order does your function take its three steps?"
        which = "the job" if len(jids) == 1 else f"job {number} of {len(jids)}"
        expect(
            shown(history) == JOURNEY,
            f"the status of {which} goes {JOURNEY}",
            call=call,
            got=f"{shown(history)}; {how_it_is(process)}",
            hint=hint,
        )


@points(1)
def test_it_sets_the_status(submission):
    """update_job_status() sets the status that it is given"""
    jid, record = saved_job(submission)
    for status in (IN_PROGRESS, COMPLETE):
        before = len(submission.redis.commands)
        call, now = update(submission, jid, record, status)
        written = [one for one in submission.redis.commands[before:] if one.name in WRITES]
        records = records_of(submission, jid)
        if len(records) > 1:
            got = f"two keys: {', '.join(one.key for one in records)}"
            hint = "After one update there are two keys. Look at the second: what type was the id?"
        elif now is None:
            stored = submission.redis.keys()
            kind = next((f"a {kind}" for _, key, kind in stored if text(key) == record.key), None)
            got = f"at {record.key} is no job any more, but {kind or 'nothing'}"
            hint = "Which command of yours takes away the whole job, to change one field of it?"
        else:
            got = f"the job at {record.key} is {short(now.fields['status'])}"
            new = sorted(now.fields.keys() - record.fields.keys())
            if not written:
                hint = "Nothing was written to Redis. Which line of yours would, and is it reached?"
            elif new:
                hint = f"The job has a field {new[0]} now. In which field do others look?"
            else:
                hint = (
                    "Which variable holds the new status at the line that saves it? What has been "
                    "assigned to this variable since the function began?"
                )
        expect(
            now and now.fields["status"] == status,
            f"the job at {record.key} is {status}",
            call=call,
            got=got,
            hint=hint,
        )


@points(1, after="test_it_sets_the_status")
def test_it_leaves_the_rest(submission):
    """update_job_status() leaves the rest of the job as it is, under the same key"""
    jid, record = saved_job(submission)
    call, now = update(submission, jid, record, IN_PROGRESS)
    keys = [one.key for one in records_of(submission, jid)]
    expect(
        keys == [record.key],
        f"the job is at one key, {record.key}",
        call=call,
        got=f"it is at {', '.join(keys)}",
        hint="After one update there are two keys. Look at the second: what type was the id?",
    )
    before, after = record.fields | {"status": IN_PROGRESS}, now.fields
    wrong = [name for name in before if after.get(name) != before[name]]
    expect(
        not wrong,
        ", ".join(f"{name}: {short(before[name])}" for name in wrong),
        call=call,
        got=", ".join(f"{name}: {short(after.get(name, '(missing)'))}" for name in wrong),
        hint="Redis answers with bytes. What does your function make of what it reads, before it "
        "writes it back? And does it have to write all of it?",
    )


@points(1)
def test_it_waits(submission, note):
    """python worker.py waits while the queue is empty, and does not end"""
    process = start(submission)
    if submission.queue_of(process)["socket_timeout"] is not None:
        note("without socket_timeout=None this program dies after an idle minute (lesson 02)")


@points(1, after="test_it_waits")
def test_it_asks_the_queue_of_add_job(submission):
    """It waits at the queue on which add_job() puts the ids"""
    process = start(submission)
    asked = submission.redis.polled_lists()
    expect(
        asked,
        "it asks a queue for messages",
        call=process.call_text,
        got="it runs, and asks no queue for anything",
        hint=ASKS_NO_QUEUE,
    )
    queue = submission.queue()
    expect(
        queue in asked,
        f"it waits at {queue[1]} in database {queue[0]}, where add_job() puts the ids",
        call=process.call_text,
        got="it waits at " + ", ".join(f"{key} in database {db}" for db, key in sorted(asked)),
        hint="How many queues are made in the files together? Is it the same one at both ends?",
    )


@points(2, after=("test_it_sets_the_status", "test_it_asks_the_queue_of_add_job"))
def test_the_journey_of_a_job(submission):
    """A job goes from submitted to in progress to complete"""
    jid, _ = saved_job(submission)
    process = work_off(submission, [jid])
    expect_complete(submission, process, [jid], f"{process.call_text}, with one job on the queue")


@points(1, after="test_the_journey_of_a_job")
def test_one_job_after_another(submission):
    """One worker does all the jobs that wait, and goes on waiting"""
    added = submission.call("jobs", "add_job", START, END, times=3)
    jids = [jid_of(value) for value in added.values]
    process = work_off(submission, jids)
    call = f"{process.call_text}, with three jobs on the queue"
    expect(
        process.running,
        "after each job it waits for the next message",
        call=call,
        got=printed_and_ended(process),
        hint=hint_for((process.events("error") or [None])[-1])
        or "After a job the program came to its end. What would ask the queue for the next one?",
    )
    expect_no_recursion(submission, process)
    expect_complete(submission, process, jids, call)


@points(2, after="test_one_job_after_another")
def test_two_workers(submission):
    """Two workers never run the same job"""
    alone, _ = saved_job(submission)
    first = submission.start("worker.py")
    submission.settle(first)
    # how often one run writes it: not everybody writes it once
    usual = submission.redis.statuses(alone).count(IN_PROGRESS)
    workers = [first, submission.start("worker.py")]
    submission.settle(*workers)
    added = submission.call("jobs", "add_job", START, END, times=4)
    jids = [jid_of(value) for value in added.values]

    def runs():
        return [submission.redis.statuses(jid).count(IN_PROGRESS) // usual for jid in jids]

    def is_over():
        waiting = submission.redis.blocked()
        if all(not one.running or f"pid-{one.pid}" in waiting for one in workers):
            return True
        return max(runs()) > 1 or all(submission.redis.status(jid) == COMPLETE for jid in jids)

    submission.until(is_over, CHECK_TIMEOUT_SECONDS * len(jids))
    submission.settle(*workers)
    submission.require_saved_first(*jids)
    counts, ends = runs(), [submission.redis.history(jid)[-1] for jid in jids]
    call = "two workers wait; then four jobs are added"
    expect(
        max(counts) <= 1,
        "each job is run once, by one of the two",
        call=call,
        got="\n".join(
            f"{jid}: {'run once' if count == 1 else f'run {count} times'}"
            for jid, count in zip(jids, counts, strict=True)
        ),
        hint="When does a worker learn of a job, and when does the message leave the queue? What can "
        "the other one see in between?",
    )
    expect(
        ends == [COMPLETE] * len(jids) and all(one.running for one in workers),
        "each job is run once, and both workers wait afterwards",
        call=call,
        got="\n".join(
            [f"{jid}: {end}" for jid, end in zip(jids, ends, strict=True)]
            + [f"worker {number}: {how_it_is(one)}" for number, one in enumerate(workers, 1)]
        ),
        hint="Which job is not complete, and which of the two had it in hand?",
    )
