"""The gaps of lesson 14; see 02_consume_messages.py for the form."""

from jobs_kit.grading import Gap, expect

WEATHER = """def execute_job(start, end, seconds=0):
    return {"days": 366}
"""

ENQUEUE_YEARS = Gap(
    __file__,
    "enqueue_years",
    "Enqueue a job for each year",
    beside={"weather.py": WEATHER},
    before="""import os
import redis, rq
import weather
rd = redis.Redis(host=os.environ["REDIS_HOST"], port=os.environ["REDIS_PORT"], db=2, socket_timeout=None)
queue = rq.Queue("weather", connection=rd, serializer="json")
""",
    blank="""def enqueue_years(years):
    ...
""",
    hint="queue.enqueue() returns a job. Which attribute of it do you want?",
    wrong=(
        (
            "test_it_returns_the_ids",
            """def enqueue_years(years):
    return [queue.enqueue(weather.execute_job, f"{y}-01-01", f"{y}-12-31") and y for y in years]
""",
        ),
        (
            "test_each_job_has_its_dates",
            """def enqueue_years(years):
    return [queue.enqueue(weather.execute_job, "2012-01-01", "2012-12-31").id for _ in years]
""",
        ),
    ),
)


@ENQUEUE_YEARS.check
def test_it_returns_the_ids(submission):
    """It returns the ids of the jobs, which are on the queue"""
    call = submission.call("enqueue_years", "enqueue_years", [2012, 2013])
    ids = [text.decode() for text in submission.redis.client(2).lrange("rq:queue:weather", 0, -1)]
    expect(
        call.value == ids and len(ids) == 2,
        "two ids, those on the queue",
        call=call,
        hint="What does enqueue() return, and what is its id called?",
    )


@ENQUEUE_YEARS.check
def test_each_job_has_its_dates(submission):
    """Each job has the first and the last day of its year"""
    call = submission.call("enqueue_years", "enqueue_years", [2012, 2013])
    client = submission.redis.client(2)
    jobs = [client.hget(key, "description").decode() for key in client.keys("rq:job:*")]
    wanted = [f"weather.execute_job('{y}-01-01', '{y}-12-31')" for y in (2012, 2013)]
    expect(
        sorted(jobs) == wanted,
        "\n".join(wanted),
        call=call,
        got="\n".join(sorted(jobs)) or "no job",
        hint="The year is a number. What makes the text 2012-01-01 of it?",
    )


OUR_STATUS = Gap(
    __file__,
    "our_status",
    "Translate the words of RQ",
    blank="""def our_status(status):
    ...
""",
    hint="Which three of RQ's words mean something else than submitted?",
    wrong=(
        ("test_each_word_is_translated", "def our_status(status):\n    return status\n"),
        (
            "test_each_word_is_translated",
            "def our_status(status):\n"
            '    return {"queued": "submitted", "started": "in progress", "finished": "complete"}[status]\n',
        ),
    ),
)


@OUR_STATUS.check
def test_each_word_is_translated(submission):
    """Each of RQ's words becomes one of ours"""
    words = {"queued": "submitted", "deferred": "submitted", "scheduled": "submitted"}
    words |= {"started": "in progress", "finished": "complete", "failed": "failed"}
    for word, expected in words.items():
        call = submission.call("our_status", "our_status", word)
        expect(
            call.value == expected,
            repr(expected),
            call=call,
            hint="Has this job begun? Has it ended?",
        )
