"""The gaps of lesson 15; see 02_consume_messages.py for the form."""

from jobs_kit.grading import Gap, expect

WEATHER = """def execute_job(start, end, seconds=0):
    return {"days": 366}
"""

SUMMARY = Gap(
    __file__,
    "summary",
    "Make a task that survives its process",
    beside={"weather.py": WEATHER},
    before="""import weather
from celery import Celery
app = Celery("weather", broker="memory://")
""",
    after="""
def options():
    return [summary.run(1, 2), bool(summary.acks_late), bool(summary.reject_on_worker_lost)]
""",
    blank="""summary = ...
""",
    hint="Which line above made the task careful, and which two options does it need?",
    wrong=(
        ("test_it_is_requeued", "summary = app.task(weather.execute_job)\n"),
        ("test_it_is_requeued", "summary = app.task(weather.execute_job, acks_late=True)\n"),
    ),
)


@SUMMARY.check
def test_it_is_requeued(submission):
    """Its message is requeued when the process at work dies"""
    call = submission.call("summary", "options")
    expect(
        call.value == [{"days": 366}, True, True],
        "a task of weather.execute_job with acks_late and reject_on_worker_lost",
        call=call,
        hint="When is the message acknowledged, and what happens to it when the process is lost?",
    )


OUR_STATE = Gap(
    __file__,
    "our_state",
    "Translate the states of Celery",
    blank="""def our_state(state, is_known):
    ...
""",
    hint="Which question comes first, and which three states mean something else than submitted?",
    wrong=(
        (
            "test_an_unknown_job_has_none",
            "def our_state(state, is_known):\n"
            '    words = {"STARTED": "in progress", "SUCCESS": "complete", "FAILURE": "failed"}\n'
            '    return words.get(state, "submitted")\n',
        ),
        (
            "test_each_state_is_translated",
            "def our_state(state, is_known):\n    return state.lower() if is_known else None\n",
        ),
    ),
)


@OUR_STATE.check
def test_each_state_is_translated(submission):
    """Each state of a known job becomes one of ours"""
    words = {"PENDING": "submitted", "RETRY": "submitted", "STARTED": "in progress"}
    for state, expected in {**words, "SUCCESS": "complete", "FAILURE": "failed"}.items():
        call = submission.call("our_state", "our_state", state, True)
        expect(
            call.value == expected,
            repr(expected),
            call=call,
            hint="Has this job begun? Has it ended?",
        )


@OUR_STATE.check
def test_an_unknown_job_has_none(submission):
    """A job that your list doesn't know has no status"""
    call = submission.call("our_state", "our_state", "PENDING", False)
    expect(
        not call.error and call.value is None,
        "None",
        call=call,
        hint="What does PENDING mean for an id that Celery has never given out?",
    )
