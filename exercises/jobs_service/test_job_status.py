"""GET /jobs/<jid> shows a job or answers 404; POST /jobs accepts only a job."""

import ast
from functools import partial

from jobs_kit.grading import Exercise, NotAttemptedError, expect, points, service

GOOD = {"start": "2012-01-01", "end": "2012-03-31"}
OTHER = {"start": "2014-11-01", "end": "2014-11-30"}
MALFORMED = (b'{"start": "2012-01-01", "end": ', b"start=2012-01-01", b"")
NO_JOB = (
    {},
    {"start": "2012-01-01"},
    {"end": "2012-03-31"},
    None,
    [],
    ["start", "end"],
    "start and end",
    7,
)
NO_TEXT = (
    {"start": 2012, "end": 2013},
    {"start": None, "end": None},
    {"start": "2012-01-01", "end": None},
    {"start": ["2012-01-01"], "end": {"day": "2012-03-31"}},
)


def is_attempted(source):
    """Return True if api.py has more functions than the starter, or a changed jobs_api().

    Raises NotAttemptedError.
    """
    if "api.py" not in source.modules():
        raise NotAttemptedError("nothing to check yet: there is no api.py")
    before = _count(ast.walk(ast.parse(source.handed_out().get("api.py", ""))))
    if _count(source.nodes("api.py")) <= before and not source.differs("jobs_api", "api.py"):
        raise NotAttemptedError(
            "nothing to check yet: api.py has no new route, and jobs_api() is unchanged"
        )
    return True


def _count(nodes):
    """Return how many of these nodes are functions, classes and added routes."""
    return sum(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        or (isinstance(node, ast.Attribute) and node.attr == "add_url_rule")
        for node in nodes
    )


SAID_IN_WORDS = (
    "Programs look at the status code first, and 200 means success. Where does your `return` give "
    "Flask another code?"
)
BYTES = "Redis returns bytes: which line decodes them?"
FOR_A_MISSING_KEY = {  # what a redis-py method returns for a key that is not there
    "HGETALL": "hgetall() returns {} for a missing key, and {} is not None",
    "HMGET": "hmget() returns a list of None for a missing key, and that list is neither None nor empty",
}
EXERCISE = Exercise(
    __file__,
    number=90,
    lesson="ask_for_status_and_results",
    title="Report a job's status",
    files=("api.py", "jobs.py"),
    changes={"api.py": ("jobs_api",)},
    is_attempted=is_attempted,
    hints=(
        "Write a function in jobs.py that reads a job from Redis, and a route in api.py that calls "
        "it. For the other half of the task, look at jobs_api(): what does it check before it "
        "calls add_job()?",
        "In jobs.py: read the hash at the job's key and return a dict, or None if there is no "
        "job. In the route: return the dict, or an error dict and 404. In jobs_api(), check "
        "first: is the body a dict, are both dates there, and are they strings?",
        'In api.py: @app.route("/jobs/<jid>") above a function with the parameter jid, and '
        'return {"error": ...}, 404. In jobs_api(): request.get_json(force=True, silent=True) '
        "returns None if the body is not JSON. Then check isinstance(body, dict) and "
        'isinstance(body.get("start"), str).',
    ),
)


def post(api, dates=GOOD):
    """POST a good job; return its id."""
    response = api.post("/jobs", dates)
    hint = service.hint_for_status_code(response)
    expect(response.is_taken, "202 (or 200, 201): the job is accepted", call=response, hint=hint)
    expect(
        response.job_id,
        'JSON with the id of the new job, such as {"id": "1f6e3c1c-…", …}',
        call=response,
        hint="add_job() returns the job with its id. What does your `return` send to the client?",
    )
    return response.job_id


def hint_for_job(submission, response, wanted):
    """Return a question that leads from a job that is shown wrongly to its cause."""
    if has_bytes(submission, response, wanted["id"]):
        return BYTES
    if response.status != 200:
        return service.hint_for_status_code(response)
    if response.json is None and response.body.strip() != b"null":
        return "This is not JSON: look at its quotes. Which line turned the job into a string?"
    if isinstance(response.json, str):
        return "This is a JSON string with JSON inside. Which two lines turn the job into a string?"
    record = submission.redis.find_job(wanted["id"])
    if record and not record.fields.items() >= wanted.items():
        return "Redis has the same wrong values. In which order do you pass the dates to add_job()?"
    return (
        "Compare the response with the hash in Redis, field by field. Which line drops or changes "
        "a field?"
    )


def has_bytes(submission, response, jid):
    """Tell whether a response holds bytes as Python prints them, or failed because of bytes."""
    if response.status < 500:
        return response.shows_bytes
    has_bytes_for_names = (
        "KeyError" in response.outcome_text and last_read(submission, jid) == "HGETALL"
    )
    return "bytes" in response.outcome_text or has_bytes_for_names


def last_read(submission, jid):
    """Return the name of the last command about an id that was sent to Redis, or None."""
    names = [command.name for command in submission.redis.commands if command.holds(jid)]
    return names[-1] if names else None


def expect_refused(submission, bodies, hint):
    """POST each of these; each must be refused and change nothing, and then a good job accepted.

    A job that is there already must still be there. hint(body): a question about such a body.
    """
    api, redis = submission.serve(), submission.redis
    post(api)
    before, state = redis.keys(), redis.state()

    def hint_for_refusal(response, body):
        in_words = response.status < 400 and redis.keys() == before
        return SAID_IN_WORDS if in_words else response.hint or hint(body)

    for body in bodies:
        response = service.expect_refused(api, body, partial(hint_for_refusal, body=body))
        now = redis.keys()
        expect(
            all(key in now for key in before),
            "a refused request leaves everything else in Redis as it is",
            call=response,
            got=f"{response.outcome_text}\nand the job that was added before is gone",
            hint="Which command of yours deletes more than the refused job?",
        )
        expect(
            redis.state() == state,
            "a refused request leaves nothing in Redis: no key, and no message on the queue",
            call=response,
            got=f"{response.outcome_text}\nand yet something was stored",
            hint="Does your function check the body before it calls add_job()?",
        )
    post(api)


@points(1)
def test_a_good_body_makes_one_job(submission):
    """POST /jobs with a start and an end makes one job and answers with its id"""
    jid = post(submission.serve())
    queued = submission.redis.put_messages()
    stored, with_id = submission.redis.jobs(), [text for text in queued if jid.encode() in text]
    expect(
        len(stored) == len(queued) == len(with_id) == 1,
        "one job is saved, and its id is put on the queue once",
        call=f"POST /jobs, answered with the id {jid}",
        got=f"{len(stored)} saved; {len(queued)} on the queue, {len(with_id)} of them with this id",
        hint="How often do you call add_job() for one request?"
        if len(queued) > 1
        else "Part of add_job() is missing. Check the exercise `add_job` first.",
    )


@points(2, after="test_a_good_body_makes_one_job")
def test_a_job_is_shown(submission, api):
    """GET /jobs/<jid> answers 200 with the id, status, start and end of that job"""
    posted = [(post(api, dates), dates) for dates in (GOOD, OTHER)]
    for jid, dates in posted:
        response = api.get(f"/jobs/{jid}")
        wanted = {"id": jid, "status": "submitted"} | dates
        hint = hint_for_job(submission, response, wanted)
        expect(response.status == 200, "200 and the job", call=response, hint=hint)
        expect(
            response.holds(wanted, in_texts=False),
            f"the job as JSON: {wanted}",
            call=response,
            hint=hint,
        )
        status = submission.redis.status(jid)
        change = f"afterwards its status is {status}"
        service.expect_only_read(status == "submitted", "a job", response, change)


@points(1, after="test_a_job_is_shown")
def test_the_status_follows(submission, api):
    """GET /jobs/<jid> shows a status that another program set in the meantime"""
    jid = post(api)
    api.get(f"/jobs/{jid}")
    call = service.set_status(submission, jid, "in progress")
    expect(
        submission.redis.status(jid) == "in progress",
        "the status of the job in Redis is now `in progress`",
        call=call,
        hint="Look at update_job_status(), and check the exercise `execute_job` first.",
    )
    response = api.get(f"/jobs/{jid}")
    expect(
        response.holds({"id": jid, "status": "in progress"}, in_texts=False),
        "the status that is in Redis now: in progress",
        call=response,
        hint="Does your function read the job from Redis, or from a variable that only this "
        "program can see?",
    )


@points(2, after="test_a_job_is_shown")
def test_an_unknown_id_is_not_found(submission, api):
    """GET /jobs/<jid> answers 404 with a JSON error for an id that no job has"""
    jid = post(api)
    before = submission.redis.keys()
    nearly = jid[:-1] + ("1" if jid.endswith("0") else "0")
    for unknown in (service.UNKNOWN, nearly):
        expect_unknown(submission, api, unknown, before)


def says_more_than(response, jid):
    """Tell whether an object holds a string besides this id."""
    texts = [text for fields in response.objects for text in fields.values()]
    return any(isinstance(text, str) and text not in ("", jid) for text in texts)


def expect_unknown(submission, api, jid, before):
    """Ask for an id that no job has: 404, as JSON, and the keys are the same as before."""
    path, hint = f"/jobs/{jid}", partial(hint_for_unknown, submission, jid)
    response = service.expect_not_found(api, path, hint)
    expect(
        response.json and not isinstance(response.json, int | float),
        'an error as JSON, such as {"error": "there is no job …"}',
        call=response,
        hint="Flask wrote this page. Which dict do you return together with the 404?",
    )
    is_unchanged = submission.redis.keys() == before
    service.expect_only_read(is_unchanged, "a job", response, "a new key is in Redis")


def hint_for_unknown(submission, jid, response):
    """Return a question that leads from another answer than 404 to its cause."""
    if response.hint:
        return response.hint
    if response.status == 200 and says_more_than(response, jid):
        return SAID_IN_WORDS
    value = FOR_A_MISSING_KEY.get(last_read(submission, jid))
    if value:
        return f"{value}. Which line of yours checks for that?"
    return "What does Redis return for a key that is not there? Print it where you read the job."


@points(1, after="test_a_good_body_makes_one_job")
def test_malformed_json_is_refused(submission):
    """POST /jobs answers 400 if the body is not JSON, and the API keeps running"""
    expect_refused(
        submission,
        MALFORMED,
        lambda body: (
            "Does the line that reads the body raise an exception if it is not JSON, or return None?"
        ),
    )


@points(1, after="test_a_good_body_makes_one_job")
def test_what_is_no_job_is_refused(submission):
    """POST /jobs answers 400 if start or end is missing, and the API keeps running"""
    expect_refused(submission, NO_JOB, service.hint_for_bad_job)


@points(1, after="test_a_good_body_makes_one_job")
def test_what_is_no_text_is_refused(submission):
    """POST /jobs answers 400 if start or end is not a string, and the API keeps running"""
    expect_refused(submission, NO_TEXT, service.hint_for_bad_job)


@points(1, after=("test_a_job_is_shown", "test_an_unknown_id_is_not_found"))
def test_answers_say_that_they_are_json(submission, api):
    """The responses to POST and GET have the content type application/json"""
    responses = [api.post("/jobs", GOOD)]
    responses += [api.get(f"/jobs/{jid}") for jid in (responses[0].job_id, service.UNKNOWN)]
    for response in responses:
        expect(
            response.content_type.endswith("json"),
            "the content type application/json",
            call=response,
            hint="Flask sends a string as a web page (text/html), and a dict as JSON. Which of the "
            "two do you return?",
        )
