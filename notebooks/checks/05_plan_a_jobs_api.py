"""The gaps of lesson 05; see 02_consume_messages.py for the form."""

from jobs_kit.grading import Gap, expect, setup_code

BEFORE = setup_code("plan")

STATUS_OF = Gap(
    __file__,
    "status_of",
    "Look up the status of a job",
    before=BEFORE,
    blank="""def status_of(jid):
    ...
""",
    hint="What does rd.hget() return for the field status, and for a key that doesn't exist?",
    wrong=(
        (
            "test_the_status_is_a_string",
            'def status_of(jid):\n    return rd.hget("job." + jid, "status")\n',
        ),
        (
            "test_an_unknown_job_has_none",
            'def status_of(jid):\n    return rd.hget("job." + jid, "status").decode()\n',
        ),
    ),
)


@STATUS_OF.check
def test_the_status_is_a_string(submission):
    """The status of a job is a string"""
    submission.redis.client(0).hset("job.abc", mapping={"id": "abc", "status": "submitted"})
    call = submission.call("status_of", "status_of", "abc")
    expect(
        call.value == "submitted",
        '"submitted", a string',
        call=call,
        hint="Redis returns bytes. Which method makes a string of them?",
    )


@STATUS_OF.check
def test_an_unknown_job_has_none(submission):
    """For an unknown job it returns None"""
    call = submission.call("status_of", "status_of", "no-such-job")
    expect(
        not call.error and call.value is None,
        "None",
        call=call,
        hint="What does hget() return for a key that doesn't exist, and what does your line do with it?",
    )


ACCEPT = Gap(
    __file__,
    "accept",
    "Accept a job",
    before=BEFORE,
    blank="""def accept(start, end):
    ...
""",
    hint="The cells above made an id, a dictionary and a hash. What is still missing, and what comes last?",
    wrong=(
        (
            "test_its_id_is_queued",
            """def accept(start, end):
    job = {"id": str(uuid.uuid4()), "status": "submitted", "start": start, "end": end}
    rd.hset("job." + job["id"], mapping=job)
    return job
""",
        ),
        (
            "test_it_is_saved_first",
            """def accept(start, end):
    job = {"id": str(uuid.uuid4()), "status": "submitted", "start": start, "end": end}
    q.put(job["id"])
    rd.hset("job." + job["id"], mapping=job)
    return job
""",
        ),
        (
            "test_the_job_is_saved",
            """def accept(start, end):
    job = {"id": str(uuid.uuid4()), "status": "submitted", "start": start, "end": end}
    q.put(job["id"])
    return job
""",
        ),
    ),
)


def accepted(submission):
    """Call accept(); return (the call, the id that it returned)."""
    call = submission.call("accept", "accept", "2012-01-01", "2012-12-31")
    job = call.value
    expect(
        isinstance(job, dict) and isinstance(job.get("id"), str),
        "the job, a dictionary with its id",
        call=call,
        hint="Which line returns the job?",
    )
    return call, job["id"]


@ACCEPT.check
def test_the_job_is_saved(submission):
    """The job is a hash with its four fields"""
    call, jid = accepted(submission)
    fields = submission.redis.client(0).hgetall(f"job.{jid}")
    expected = {"id": jid, "status": "submitted", "start": "2012-01-01", "end": "2012-12-31"}
    expect(
        {name.decode(): value.decode() for name, value in fields.items()} == expected,
        f"a hash job.{jid} with id, status, start and end",
        call=call,
        got=f"{len(fields)} fields are at that key",
        hint="Which call saved the job above, and under which key?",
    )


@ACCEPT.check
def test_its_id_is_queued(submission):
    """The id of the job is on the queue"""
    call, jid = accepted(submission)
    messages = submission.redis.queues().get((1, "hotqueue:plan"), [])
    expect(
        messages == [f'"{jid}"'.encode()],
        "one message, the id",
        call=call,
        got=", ".join(message.decode() for message in messages) or "no message",
        hint="What does the worker need to find the job?",
    )


@ACCEPT.check
def test_it_is_saved_first(submission):
    """The job is saved before its id is queued"""
    call, jid = accepted(submission)
    names = [command.name for command in submission.redis.commands if jid in str(command)]
    expect(
        names.index("HSET") < names.index("RPUSH") if {"HSET", "RPUSH"} <= set(names) else True,
        "first HSET, then RPUSH",
        call=call,
        got=", then ".join(names),
        hint="A worker may take the id in the next millisecond. What does it look for?",
    )
