"""The gaps of lesson 08; see 02_consume_messages.py for the form."""

from jobs_kit.grading import Gap, expect

JOBS = """import json, os
import redis
from hotqueue import HotQueue

where = {"host": os.environ["REDIS_HOST"], "port": os.environ["REDIS_PORT"]}
q = HotQueue("queue", db=1, serializer=json, socket_timeout=None, **where)
rd = redis.Redis(db=0, **where)

def update_job_status(jid, status):
    rd.hset("job." + jid, "status", status)
"""

WHERE_IS_REDIS = Gap(
    __file__,
    "where_is_redis",
    "Read an address from the environment",
    before="import os\n",
    blank="""def where_is_redis():
    ...
""",
    hint="os.environ.get(name, default) returns a string. Which of the two values has to be a number?",
    wrong=(
        (
            "test_it_has_defaults",
            'def where_is_redis():\n    return {"host": os.environ["REDIS_HOST"], '
            '"port": int(os.environ["REDIS_PORT"])}\n',
        ),
        (
            "test_it_follows_the_environment",
            'def where_is_redis():\n    return {"host": os.environ.get("REDIS_HOST", "127.0.0.1"), '
            '"port": os.environ.get("REDIS_PORT", 6379)}\n',
        ),
        (
            "test_it_follows_the_environment",
            'def where_is_redis():\n    return {"host": "127.0.0.1", "port": 6379}\n',
        ),
    ),
)


@WHERE_IS_REDIS.check
def test_it_follows_the_environment(submission):
    """It returns what the environment names, the port as a number"""
    where = {"REDIS_HOST": "redis.example.edu", "REDIS_PORT": "6380"}
    call = submission.call("where_is_redis", "where_is_redis", **where)
    expect(
        call.value == {"host": "redis.example.edu", "port": 6380},
        '{"host": "redis.example.edu", "port": 6380}, the port as a number',
        call=call,
        hint="Environment variables are strings. What makes a number of one?",
    )


@WHERE_IS_REDIS.check
def test_it_has_defaults(submission):
    """Without the variables it returns 127.0.0.1 and 6379"""
    nothing = {"REDIS_HOST": None, "REDIS_PORT": None}
    call = submission.call("where_is_redis", "where_is_redis", **nothing)
    expect(
        call.value == {"host": "127.0.0.1", "port": 6379},
        '{"host": "127.0.0.1", "port": 6379}',
        call=call,
        hint="What does os.environ[name] do when the name isn't there? What does get() do?",
    )


BLANK = """%%writefile scratch/hasty.py
import jobs

@jobs.q.worker
def execute_job(jid):
    jobs.update_job_status(jid, "in progress")
    time.sleep(1)
    jobs.update_job_status(jid, "complete")

if __name__ == "__main__":
    execute_job()
"""
HASTY = Gap(
    __file__,
    "hasty",
    "Fix the hasty worker",
    beside={"jobs.py": JOBS},
    blank=BLANK,
    hint="Which name does the traceback above complain about, and which line would bring it?",
    wrong=(
        ("test_a_job_becomes_complete", BLANK.replace("    time.sleep(1)\n", "    import tim\n")),
        (
            "test_a_job_becomes_complete",
            BLANK.replace("time.sleep(1)", "pass").replace('"complete"', '"completed"'),
        ),
    ),
)


@HASTY.check
def test_a_job_becomes_complete(submission):
    """A job goes from in progress to complete, and the worker goes on"""
    submission.redis.client(0).hset("job.abc", mapping={"id": "abc", "status": "submitted"})
    submission.redis.put(1, "hotqueue:queue", b'"abc"')
    process = submission.start("hasty.py")
    submission.settle(process)
    statuses = submission.redis.history("abc")[-2:]
    expect(
        process.running and statuses == ["in progress", "complete"],
        "in progress, then complete",
        call="python hasty.py, with one job on the queue",
        got=f"{', then '.join(statuses)}; the worker {'runs' if process.running else 'has ended'}",
        hint="Which line runs between the two changes of the status, and what does it need?",
    )
