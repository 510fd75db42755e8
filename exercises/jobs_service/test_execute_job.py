"""worker.py takes ids off the queue forever, and each job becomes in progress, then complete."""

from jobs_kit.grading import Exercise, expect, expect_no_recursion, points, service, short


def is_attempted(source):
    """Tell whether execute_job() is written, or a worker of another name, or in a class."""
    if source.differs("execute_job", "worker.py"):
        return True
    if "worker.py" not in source.modules():
        return False
    is_there = source.defines("execute_job", "worker.py")
    return not is_there and bool(source.works_in("worker.py"))


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
        "Lesson 04 turns a function into a worker. Which line is above the function there, and "
        "which line starts the worker? The queue is in jobs.py.",
        "The decorator belongs to the queue q, which is in jobs. The body has three steps: set the "
        "status to in progress, do the work (sleep), set the status to complete. Then the file has "
        "to call the function.",
        "Write @jobs.q.worker above def execute_job(jid). Inside, call jobs.update_job_status(jid, …) "
        'twice, with time.sleep(…) between. At the end, under if __name__ == "__main__":, call '
        "execute_job().",
    ),
)

IN_PROGRESS, COMPLETE = service.IN_PROGRESS, service.COMPLETE
TWO_KEYS = "After one update there are two keys. Look at the second one: what type was the id?"


def update(submission, jid, record, status):
    """Call update_job_status(); return (call, the Record at the same place as before or None)."""
    call = service.set_status(submission, jid, status)
    expect(call.returned, "it sets the status and returns", call=call, hint=call.hint)
    same = (now for now in submission.redis.jobs() if (now.db, now.key) == (record.db, record.key))
    return call, next(same, None)


@points(1)
def test_it_sets_the_status(submission):
    """update_job_status() sets the status that it gets"""
    jid, record = service.saved_job(submission)
    for status in (IN_PROGRESS, COMPLETE):
        before = len(submission.redis.commands)
        call, now = update(submission, jid, record, status)
        written = submission.redis.writes(since=before)
        records = submission.redis.records_of(jid)
        if len(records) > 1:
            got = f"two keys: {', '.join(job.key for job in records)}"
            hint = TWO_KEYS
        elif now is None:
            kinds = {key: f"a {kind}" for (_, key), kind in submission.redis.kinds().items()}
            got = (
                f"the job at {record.key} is gone; now there is {kinds.get(record.key, 'nothing')}"
            )
            hint = "Which command of yours replaces the whole job to change one of its fields?"
        else:
            got = f"the job at {record.key} is {short(now.fields['status'])}"
            new = sorted(now.fields.keys() - record.fields.keys())
            if not written:
                hint = "Nothing was written to Redis. Which line of yours writes the new status?"
            elif new:
                hint = f"The job has a new field {new[0]}. Which field do other programs read?"
            else:
                hint = (
                    "Which variable holds the new status at the line that saves it? Print it there."
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
    """update_job_status() leaves the rest of the job as it is, at the same key"""
    jid, record = service.saved_job(submission)
    call, now = update(submission, jid, record, IN_PROGRESS)
    keys = [job.key for job in submission.redis.records_of(jid)]
    expect(
        keys == [record.key],
        f"the job is at one key, {record.key}",
        call=call,
        got=f"it is at {', '.join(keys)}",
        hint=TWO_KEYS,
    )
    before, after = record.fields | {"status": IN_PROGRESS}, now.fields
    wrong = [
        name for name in ("id", "status", "start", "end") if after.get(name) != before.get(name)
    ]
    expect(
        not wrong,
        ", ".join(f"{name}: {short(before.get(name, '(missing)'))}" for name in wrong),
        call=call,
        got=", ".join(f"{name}: {short(after.get(name, '(missing)'))}" for name in wrong),
        hint="Redis returns bytes. Which line of yours decodes them before it writes them back? "
        "(You only have to write one field.)",
    )


@points(1)
def test_it_waits(submission, note):
    """python worker.py waits while the queue is empty and does not end"""
    submission.note_socket_timeout(service.start_worker(submission), note)


@points(1, unless_late="test_it_waits")
def test_it_asks_the_queue_of_add_job(submission):
    """It waits at the queue on which add_job() puts the ids"""
    worker = service.start_any_worker(submission, first="test_it_waits")
    asked = submission.redis.polled_lists()
    expect(
        asked,
        "it asks a queue for messages",
        call=worker.call_text,
        got="it runs, but asks no queue for a message",
        hint=service.ASKS_NO_QUEUE,
    )
    queue = submission.queue()
    expect(
        queue in asked,
        f"it waits at {queue[1]} in database {queue[0]}, where add_job() puts the ids",
        call=worker.call_text,
        got="it waits at " + ", ".join(f"{key} in database {db}" for db, key in sorted(asked)),
        hint="Search your files for HotQueue: which lines make a queue, and which one is q?",
    )


@points(2, after=("test_it_sets_the_status", "test_it_asks_the_queue_of_add_job"))
def test_the_journey_of_a_job(submission):
    """The status of a job goes from submitted to in progress to complete"""
    jid, _ = service.saved_job(submission)
    worker = service.work_off(submission, [jid])
    service.expect_journey(
        submission, worker, [jid], f"{worker.call_text}, with one job on the queue"
    )


@points(1, after="test_the_journey_of_a_job")
def test_one_job_after_another(submission):
    """One worker does all waiting jobs, one after another, and then waits again"""
    added = submission.call("jobs", "add_job", *service.JANUARY, times=3)
    jids = added.job_ids
    worker = service.work_off(submission, jids)
    call = f"{worker.call_text}, with three jobs on the queue"
    expect(
        worker.running or never_waits(submission, worker),
        "after each job it waits for the next message",
        call=call,
        got=service.how_far(submission, worker, len(jids)),
        hint=worker.any_hint
        or "The program ended after a job. Which line asks the queue for the next one?",
    )
    expect_no_recursion(submission, worker)
    service.expect_journey(submission, worker, jids, call)


def never_waits(submission, worker):
    """Tell whether a worker ends whenever its queue is empty, which is for another check."""
    return submission.has_run_out(worker) and not service.run_worker(submission).running


@points(2, after="test_one_job_after_another")
def test_two_workers(submission):
    """Two workers never run the same job"""
    alone, _ = service.saved_job(submission)
    first = submission.start("worker.py")
    submission.settle(first)
    # how often one run writes it: some workers write it more than once
    usual = submission.redis.statuses(alone).count(IN_PROGRESS)
    waits, workers = first.running, [first]
    if waits:
        workers.append(submission.start("worker.py"))
        submission.settle(*workers)
    added = submission.call("jobs", "add_job", *service.JANUARY, times=4)
    jids = added.job_ids
    if not waits:
        workers = [submission.start("worker.py"), submission.start("worker.py")]

    def runs():
        return [submission.redis.statuses(jid).count(IN_PROGRESS) // usual for jid in jids]

    def is_over():
        waiting = submission.redis.blocked()
        if all(not worker.running or f"pid-{worker.pid}" in waiting for worker in workers):
            return True
        return max(runs()) > 1 or all(submission.redis.status(jid) == COMPLETE for jid in jids)

    submission.until(is_over, service.seconds_for(jids))
    submission.settle(*workers)
    submission.require_saved_first(*jids)
    counts, ends = runs(), [submission.redis.history(jid)[-1] for jid in jids]
    call = "two workers wait; then four jobs are added"
    call = call if waits else "four jobs are added; then two workers are started"
    shown = ["run once" if count == 1 else f"run {count} times" for count in counts]
    expect(
        max(counts) <= 1,
        "each job is run once, by one of the two workers",
        call=call,
        got="\n".join(f"{jid}: {run}" for jid, run in zip(jids, shown, strict=True)),
        hint="Which line takes the message off the queue? Until then the other worker sees it too.",
    )
    states = [f"{jid}: {end}" for jid, end in zip(jids, ends, strict=True)]
    states += [f"worker {i}: {service.state_of(worker)}" for i, worker in enumerate(workers, 1)]
    expect(
        ends == [COMPLETE] * len(jids)
        and all(worker.running or submission.has_run_out(worker) for worker in workers),
        "each job is run once, and both workers wait afterwards",
        call=call,
        got="\n".join(states),
        hint="Which job is not complete, and what did the worker do that took it?",
    )
