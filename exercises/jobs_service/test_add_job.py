"""add_job() makes a job, saves it, queues its id, in this order, and returns the job."""

from jobs_kit.grading import Exercise, NotReachedError, expect, is_blank, moments, points, short

EXERCISE = Exercise(
    __file__,
    number=60,
    lesson="build_the_jobs_service",
    title="Complete the calls in add_job",
    files=("jobs.py",),
    changes={"jobs.py": ("add_job",)},
    hints=(
        "Two lines of add_job() have dots for arguments. Which parameters do the functions have "
        "that they call?",
        "_save_job() takes a key and a dict, _queue_job() an id. The id and the dict are already in "
        "variables, and a helper of jobs.py makes the key from the id.",
        "_save_job() gets _generate_job_key(jid) and job_dict, and _queue_job() gets jid.",
    ),
)

START, END = "2012-01-01", "2012-03-31"
KEY_MAKERS = ("_generate_job_key", "generate_job_key")


def add_job(submission):
    """Add a job; return (Call, its id or None)."""
    call = submission.call("jobs", "add_job", START, END)
    return call, call.job_id


def messages(submission, jid):
    """Return all messages (bytes) that were put on the queue that got the id.

    Where HotQueue knows no such list, every list may be the queue.
    """
    lists = {(push.db, push.arguments[0]) for push in submission.redis.pushes_of(jid)}
    lists = {(db, key) for db, key in lists if key.startswith(b"hotqueue:")} or lists
    pushes = submission.redis.pushes()
    pushes = [push for push in pushes if (push.db, push.arguments[0]) in lists]
    return [message for push in pushes for message in push.arguments[1:]]


def own_id(submission, call, jid):
    """Return the id that Redis has for a job, in its record or on the queue. jid: the one returned."""
    record = submission.redis.find_job(jid)
    queued = [submission.read(call.process, each) for each in submission.redis.put_messages()]
    queued = [text for text in queued if isinstance(text, str) and text in jid]
    return (record and record.fields.get("id")) or next(filter(None, queued), jid)


def lean_on(submission, names, *arguments):
    """Raise NotReachedError if a helper stores nothing; else return add_job(submission)."""
    submission.redis.reset()
    for path, node in submission.source.definitions_like(*names)[:1]:
        call = submission.call("jobs", names, *arguments)
        if is_blank(node) or (call.returned and not submission.redis.keys()):
            does = "does nothing yet" if is_blank(node) else "stores nothing"
            raise NotReachedError(
                f"{path}() {does}; the exercise save_and_queue comes first",
                call=call.call_text,
                got=call.outcome_text,
            )
        submission.redis.reset()
    return add_job(submission)


@points(1)
def test_it_returns_the_job(submission):
    """add_job(start, end) returns the job"""
    call, jid = add_job(submission)
    expect(call.returned, "it returns the job, a dict", call=call, hint=call.hint)
    expect(
        jid and " " not in jid,
        "it returns the job, a dict with its id",
        call=call,
        hint="What does the last line of add_job() return?",
    )
    own = own_id(submission, call, jid)
    expect(
        own == jid and jid not in ("submitted", START, END),
        f"it returns the job, with its id{f' {own}' if own != jid else ''}",
        call=call,
        hint="The last line returns something else. Which variable of add_job() is the job?",
    )


@points(1, after="test_it_returns_the_job")
def test_the_job_is_saved(submission):
    """The job is saved at the key that belongs to its id"""
    call, jid = add_job(submission)
    record = submission.redis.find_job(jid)
    if record is None:
        job = {"id": jid, "status": "submitted", "start": START, "end": END}
        call, jid = lean_on(submission, ("_save_job", "save_job"), f"job.{jid}", job)
    got = f"it returned {call.outcome_text}\nand Redis contains no job with this id"
    hint = "Which of your two calls saves the job, and which id is in its arguments?"
    expect(record, f"a job with the id {jid} is in Redis", call=call, got=got, hint=hint)
    if submission.source.definitions_like(*KEY_MAKERS):
        key = submission.call("jobs", KEY_MAKERS, jid)
        wanted = key.value if isinstance(key.value, str) else jid
        expect(
            record.key.endswith(wanted),
            f"the job is at the key {wanted}, which {key.call_text.partition('(')[0]}() returns",
            call=call,
            got=f"it is at the key {record.key}",
            hint="update_job_status() will look for this job: at which key does it look?",
        )


@points(1, after="test_the_job_is_saved")
def test_what_is_saved(submission):
    """The job is saved as submitted, with the start and the end that were passed in"""
    call, jid = add_job(submission)
    fields = submission.redis.find_job(jid).fields
    wanted = {"status": "submitted", "start": START, "end": END}
    expect(
        fields.items() >= wanted.items(),
        ", ".join(f"{name}: {value}" for name, value in wanted.items()),
        call=call,
        got=", ".join(f"{name}: {short(fields.get(name, '(missing)'))}" for name in wanted),
        hint="Compare the status letter by letter with the expected one. Which line sets it?"
        if fields.items() >= {"start": START, "end": END}.items()
        else "Compare the order of your arguments with the parameters of _instantiate_job().",
    )


@points(1, after="test_it_returns_the_job")
def test_the_id_is_queued(submission):
    """The id is put on the queue, once"""
    call, jid = add_job(submission)
    put = messages(submission, jid)
    if not put:
        call, jid = lean_on(submission, ("_queue_job", "queue_job"), jid)
    with_id = [message for message in put if jid.encode() in message]
    expect(
        len(with_id) == 1,
        f"one message with the id {jid} is put on the queue",
        call=call,
        got=f"it returned {call.outcome_text}\nand put {len(with_id)} messages with this id on a list",
        hint="A worker has to get this id once. Which of your lines put it on the queue?",
    )
    read = [submission.read(call.process, message) for message in put]
    expect(
        read == [jid],
        f"q.get() returns the id, and there is no other message: {jid!r}",
        call=call,
        got="\n".join(f"q.get() returns {short(repr(message))}" for message in read),
        hint="A worker passes each message to update_job_status(). Is it the id?",
    )


@points(1, after=("test_the_job_is_saved", "test_the_id_is_queued"))
def test_saved_before_queued(submission):
    """The job is saved before its id is queued"""
    call, jid = add_job(submission)
    moments.expect_saved_first(submission, jid, call)


@points(1, after="test_it_returns_the_job")
def test_ids_differ(submission):
    """Each call makes a job with a new id"""
    call = submission.call("jobs", "add_job", START, END, times=2)
    jids = call.job_ids
    got = f"the ids {jids[0]} and {jids[-1]}"
    hint = "When does Python run the line that makes the id: at each call, or once?"
    expect(len(set(jids)) == 2, "two jobs have two ids", call=call, got=got, hint=hint)
    call, jid = add_job(submission)
    expect(
        jid not in jids,
        "the job gets an id that no job had before",
        call=call,
        got=f"the id {jid}, which another program has already given to a job",
        hint="Two programs add jobs, or one is started again. How does your line avoid ids that are "
        "already taken?",
    )
    gone = [each for each in (*jids, jid) if not submission.redis.find_job(each)]
    if submission.redis.find_job(jid):  # else nothing is saved at all: another check says so
        expect(
            not gone,
            "the jobs that were added before are still there",
            call=call,
            got=f"there is no job {' and no job '.join(gone)} any more",
            hint="Which command of yours removes the earlier jobs?",
        )
