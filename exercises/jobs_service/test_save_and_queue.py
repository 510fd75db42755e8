"""_save_job() makes a hash at the key of a job; _queue_job() puts its id on the queue `queue`."""

from jobs_kit.grading import CheckError, Exercise, expect, points, short

EXERCISE = Exercise(
    __file__,
    number=50,
    lesson="build_the_jobs_service",
    title="Save a job and queue it",
    files=("jobs.py",),
    changes={"jobs.py": ("_save_job", "_queue_job")},
    hints=(
        "At its top, jobs.py makes rd, a Redis connection, and q, a queue. Which of the two does "
        "each function need?",
        "Each body is one call. A method of rd stores a whole dict as the fields of one hash, if "
        "you pass it the key and the dict. A method of q puts a message.",
        "rd.hset() takes the key first and the dict as mapping=…, and q.put() takes the message.",
    ),
)

JID = "1f6e3c1c-6f5e-4c53-9a29-7d0a54a9a1e9"
KEY = f"job.{JID}"
JOB = {"id": JID, "status": "submitted", "start": "2012-01-01", "end": "2012-12-31"}
OTHER = "7c0d9b52-3b7e-4f0a-8d35-5e1f0a6b2c44"
OTHER_KEY = f"job.{OTHER}"
OTHER_JOB = {"id": OTHER, "status": "complete", "start": "2014-05-01", "end": "2014-05-31"}
SAVE, QUEUE = ("_save_job", "save_job"), ("_queue_job", "queue_job")


def call_jobs(submission, names, *arguments):
    """Call a function of jobs.py that has to return; return the Call."""
    call = submission.call("jobs", names, *arguments)
    hint = call.hint
    if "was never awaited" in call.process.output:
        raise CheckError(
            "the function does its work when it is called",
            call=call.call_text,
            got=call.outcome_text,
            hint="Calling an `async def` runs nothing until it is awaited. Does this function need it?",
        )
    if submission.waits(call.process):
        hint = "This line waits for a message. Which method of q puts one instead?"
    expect(
        call.returned, "it does its work and returns, without an exception", call=call, hint=hint
    )
    return call


@points(1)
def test_jobs_can_be_imported(submission):
    """jobs.py can be imported"""
    call = submission.call("jobs", None)
    expect(
        call.returned,
        "the import succeeds, and everything in jobs.py is defined",
        call=call,
        hint=call.hint,
    )


@points(1, after="test_jobs_can_be_imported")
def test_a_hash_at_the_key(submission, note):
    """_save_job() makes a hash at the key that it gets"""
    call = call_jobs(submission, SAVE, KEY, JOB)
    stored = submission.redis.kinds()
    kinds = [kind for (_, key), kind in stored.items() if key == KEY]
    others = ", ".join(key for _, key in stored)
    elsewhere = any(kind != "list" for kind in stored.values())
    expect(
        kinds,
        f"there is a hash at the key {KEY}",
        call=call,
        got=f"nothing is at this key; Redis contains {others}" if others else "nothing is in Redis",
        hint="Compare the key in Redis with the key in the call. Which variable should your line use?"
        if elsewhere
        else "Which of the two, rd or q, keeps the jobs?",
    )
    expect(
        kinds == ["hash"],
        f"there is a hash at the key {KEY}",
        call=call,
        got=f"there is a {kinds[0]} at this key",
        hint="Use a command for hashes. With which letter do they all begin?",
    )
    if any(command.name == "HMSET" for command in submission.redis.commands):
        note("hmset() works, but redis-py calls it deprecated: hset() takes a whole dict, too")


@points(1, after="test_a_hash_at_the_key")
def test_the_four_fields(submission):
    """The hash has the four fields of the dict, unchanged"""
    call = call_jobs(submission, SAVE, KEY, JOB)
    stored = submission.redis.kinds()
    db = next(db for db, key in stored if key == KEY)
    expect_fields(submission, call, db, KEY, JOB)
    call = call_jobs(submission, SAVE, OTHER_KEY, OTHER_JOB)
    expect_fields(submission, call, db, OTHER_KEY, OTHER_JOB)
    expect(
        submission.redis.client(db).exists(KEY),
        f"the job that was saved before is still there, at {KEY}",
        call=call,
        got="it is gone",
        hint="Which command of yours removes the earlier job?",
    )


def expect_fields(submission, call, db, key, job):
    """Expect that the hash at a key holds the fields of a job."""
    fields = submission.redis.fields(db, key)
    expect(
        fields.items() >= job.items(),
        "\n".join(f"{name}: {value}" for name, value in job.items()),
        call=call,
        got="\n".join(f"{name}: {short(value)}" for name, value in fields.items())
        or f"nothing is at the key {key}",
        hint="Compare the fields in Redis with those of the dict. Which is missing or different?",
    )


@points(1, after="test_jobs_can_be_imported")
def test_one_message_on_the_queue(submission, note):
    """_queue_job() puts one message on the queue named `queue`"""
    call = call_jobs(submission, QUEUE, JID)
    pushes = submission.redis.pushes()
    places = {(push.keys[0], str(push.db)) for push in pushes}
    expect(
        pushes,
        "one message is put on the queue `queue`; its key in Redis is hotqueue:queue",
        call=call,
        got="nothing was put on any list",
        hint="Which method of q puts a message on the queue? Lesson 02 shows it.",
    )
    db = str(submission.queue_at_import(call.process)["db"])
    expect(
        places == {("hotqueue:queue", db)},
        f"the message is put on the queue `queue`: hotqueue:queue, in database {db}, that of q",
        call=call,
        got="it was put on " + ", ".join(f"{key}, in database {db}" for key, db in sorted(places)),
        hint="q knows the key of the queue and its database. Which object does your line call?",
    )
    messages = submission.redis.put_messages()
    expect(
        len(messages) == 1,
        "one call puts one message on the queue",
        call=call,
        got=f"{len(messages)} messages: {', '.join(map(short, messages[:4]))}",
        hint="Each argument of put() becomes a message. How many does your line pass?",
    )
    expect(
        submission.redis.keys_with(JID),
        "the message waits on the queue until a worker takes it",
        call=call,
        got="it was put on the queue, and is not there any more",
        hint="Which line takes the message off the queue again? That is the worker's part.",
    )
    if "pickle" in str(submission.queue_of(call.process)["serializer"]):
        note("without serializer=json, this queue runs code that its writers send (lesson 03)")


@points(1, after="test_one_message_on_the_queue")
def test_the_message_is_the_id(submission):
    """The message is the id, unchanged, and q can read it"""
    for jid in (JID, OTHER):
        call = call_jobs(submission, QUEUE, jid)
        message = submission.redis.pushes()[-1].arguments[-1]
        read = submission.read(call.process, message)
        outcome = f"q.get() returns {short(repr(read))}"
        expect(
            read == jid,
            f"q.get() returns {jid!r}",
            call=call,
            got=f"the message is {short(message)}, "
            + ("which q cannot read" if read is None else f"and {outcome}"),
            hint="q turns each message into JSON and back by itself. Does your line pass the id "
            "itself?",
        )
