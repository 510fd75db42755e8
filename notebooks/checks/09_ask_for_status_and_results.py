"""The gaps of lesson 09; see 02_consume_messages.py for the form."""

from jobs_kit.grading import Gap, expect

IS_GOOD = Gap(
    __file__,
    "is_good",
    "Look at a request before you trust it",
    blank="""def is_good(body):
    ...
""",
    hint="What can JSON send besides a dictionary, and what does body.get() do on it?",
    wrong=(
        (
            "test_it_refuses_what_is_no_job",
            'def is_good(body):\n    return "start" in body and "end" in body\n',
        ),
        (
            "test_it_refuses_what_is_no_job",
            'def is_good(body):\n    return isinstance(body, dict) and {"start", "end"} <= set(body)\n',
        ),
        ("test_it_accepts_a_job", "def is_good(body):\n    return False\n"),
    ),
)


@IS_GOOD.check
def test_it_accepts_a_job(submission):
    """A dictionary with a start and an end is good"""
    body = {"start": "2012-01-01", "end": "2012-12-31", "comment": "please"}
    call = submission.call("is_good", "is_good", body)
    expect(call.value is True, "True", call=call, hint="Which of your conditions refuses it?")


@IS_GOOD.check
def test_it_refuses_what_is_no_job(submission):
    """Everything else is not, and raises nothing"""
    bodies = [None, [], ["start", "end"], "start", 7, {}, {"start": "2012-01-01"}]
    for body in [*bodies, {"start": None, "end": "x"}, {"start": 1, "end": 2}]:
        call = submission.call("is_good", "is_good", body)
        expect(
            not call.error and call.value is False,
            "False",
            call=call,
            hint="Which type is this body, or its start? Which question comes first?",
        )


RESULTS_CODE = Gap(
    __file__,
    "results_code",
    "Choose the code for results",
    blank="""def results_code(status):
    ...
""",
    hint="Here it is, not yet, never, no such job: which codes of the table are these?",
    wrong=(
        (
            "test_each_status_has_its_code",
            "def results_code(status):\n    return 200 if status else 404\n",
        ),
        (
            "test_each_status_has_its_code",
            'def results_code(status):\n    return 200 if status == "complete" else 404\n',
        ),
    ),
)


@RESULTS_CODE.check
def test_each_status_has_its_code(submission):
    """Each status has a code that a client can act on"""
    not_yet = (202, 409, 425)
    codes = {"complete": (200,), "submitted": not_yet, "in progress": not_yet}
    for status, accepted in {**codes, "failed": (409, 410, 422), None: (404,)}.items():
        call = submission.call("results_code", "results_code", status)
        expect(
            call.value in accepted,
            " or ".join(map(str, accepted)),
            call=call,
            hint="Whose turn is it now: is all well, must the client wait, or is there no such thing?",
        )


SAFELY = Gap(
    __file__,
    "safely",
    "Survive work that raises",
    after="""
def works():
    return list(safely(lambda: 42))

def raises():
    def work():
        raise ValueError("no data for 1890")
    return list(safely(work))
""",
    blank="""def safely(work):
    ...
""",
    hint="Which statement runs code that may raise, and where does the exception go?",
    wrong=(
        (
            "test_work_that_raises_is_failed",
            'def safely(work):\n    return "complete", work()\n',
        ),
        (
            "test_work_that_raises_is_failed",
            'def safely(work):\n    try:\n        return "complete", work()\n'
            '    except Exception:\n        return "failed", "an error"\n',
        ),
        (
            "test_work_that_succeeds_is_complete",
            'def safely(work):\n    try:\n        return "complete", work\n'
            '    except Exception as error:\n        return "failed", str(error)\n',
        ),
    ),
)


@SAFELY.check
def test_work_that_succeeds_is_complete(submission):
    """Work that succeeds is complete, with its result"""
    call = submission.call("safely", "works")
    expect(
        call.value == ["complete", 42],
        '("complete", 42)',
        call=call,
        hint="Is work called, and is its result the second part of the pair?",
    )


@SAFELY.check
def test_work_that_raises_is_failed(submission):
    """Work that raises is failed, with the message"""
    call = submission.call("safely", "raises")
    expect(
        not call.error and call.value == ["failed", "no data for 1890"],
        '("failed", "no data for 1890")',
        call=call,
        hint="What is str(error) of an exception that you caught?",
    )
