"""GET /jobs/<jid> shows a job or answers 404; POST /jobs takes nothing but a job."""

import ast

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
    """Return True if api.py has more functions than were handed out, or jobs_api() is another.

    Raises NotAttemptedError.
    """
    if "api.py" not in source.modules():
        raise NotAttemptedError("nothing to judge yet: there is no api.py")
    before = _count(ast.walk(ast.parse(source.handed_out().get("api.py", ""))))
    if _count(source.nodes("api.py")) <= before and not source.differs("jobs_api", "api.py"):
        raise NotAttemptedError(
            "nothing to judge yet: api.py has no new route, and the old one is as it was"
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
    "Programs look at the status code first, and this one says that all is well. Which line gives "
    "the answer, and how does Flask learn of another code?"
)
EXERCISE = Exercise(
    __file__,
    number=90,
    lesson="ask_for_status_and_results",
    title="Answer for a job's status",
    files=("api.py", "jobs.py"),
    changes={"api.py": ("jobs_api",)},
    is_attempted=is_attempted,
    hints=(
        "Two files: jobs.py knows how a job is read from Redis, api.py has a route that asks it. "
        "The other half of the task is what jobs_api() does before it calls add_job().",
        "A function in jobs.py reads the hash at the job's key: a dict, or None where there is "
        "nothing. The route makes the answer of it, and of None a pair: a dict that says what is "
        "wrong, and 404. jobs_api() looks first: is it a dict, has it both dates, are they text?",
        'In api.py: @app.route("/jobs/<jid>") above a function of jid, and in it '
        'return {"error": ...}, 404. In jobs_api(): request.get_json(force=True, silent=True) '
        "gives None for what is not JSON; isinstance(body, dict) and "
        'isinstance(body.get("start"), str) tell the rest.',
    ),
)


def post(api, dates=GOOD):
    """POST a job that is right; return its id."""
    response = api.post("/jobs", dates)
    hint = service.hint_for_status_code(response)
    expect(response.is_taken, "202 (or 200, 201): the job is taken", call=response, hint=hint)
    expect(
        response.job_id,
        'JSON with the id of the new job, such as {"id": "1f6e3c1c-…", …}',
        call=response,
        hint="What does add_job() return, and does all of it arrive at whoever asked?",
    )
    return response.job_id


def hint_for_job(submission, response, wanted):
    """Return a question that leads from a job that is shown wrongly to its cause."""
    if response.json is None and response.body.strip() != b"null":
        return "Is this JSON? Look at its quotes, and at the line that made a text of the job."
    if isinstance(response.json, str):
        return "This is one JSON text, with JSON inside. How often was the job made a text?"
    record = submission.redis.find_job(wanted["id"])
    if record and not record.fields.items() >= wanted.items():
        return "It is like this in Redis already. What did add_job() get, and in which order?"
    return (
        "Compare what came back with the hash in Redis, field by field. Which of them is missing, "
        "or has changed on its way?"
    )


def expect_refused(submission, bodies, hint):
    """POST each of these; each must be refused and change nothing, and a job be taken afterwards.

    A job that is there already must still be there.
    """
    api, redis = submission.serve(), submission.redis
    post(api)
    before, state = redis.keys(), redis.state()

    def hint_for_refusal(response):
        in_words = response.status < 400 and redis.keys() == before
        return SAID_IN_WORDS if in_words else response.hint or hint

    for body in bodies:
        response = service.expect_refused(api, body, hint_for_refusal)
        now = redis.keys()
        expect(
            all(key in now for key in before),
            "what is refused leaves everything else in Redis as it is",
            call=response,
            got=f"{response.outcome_text}\nand the job that was added before is gone",
            hint="Which command of yours takes more away than the job that was refused?",
        )
        expect(
            redis.state() == state,
            "what is refused leaves nothing in Redis: no key, and no message on the queue",
            call=response,
            got=f"{response.outcome_text}\nand something was stored all the same",
            hint="Which comes first in your function: the look at the body, or the call that saves?",
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
        hint="How often is add_job() called for one request?"
        if len(queued) > 1
        else "Which part of add_job() is missing? This belongs to `add_job`, check it first.",
    )


@points(2, after="test_a_good_body_makes_one_job")
def test_a_job_is_shown(submission, api):
    """GET /jobs/<jid> answers 200 with the id, status, start and end of that job"""
    posted = [(post(api, dates), dates) for dates in (GOOD, OTHER)]
    for jid, dates in posted:
        response = api.get(f"/jobs/{jid}")
        wanted = {"id": jid, "status": "submitted"} | dates
        hint = service.hint_for_status_code(response)
        expect(response.status == 200, "200 and the job", call=response, hint=hint)
        expect(
            response.holds(wanted, in_texts=False),
            f"the job as JSON: {wanted}",
            call=response,
            hint=hint_for_job(submission, response, wanted),
        )
        status = submission.redis.status(jid)
        change = f"afterwards its status is {status}"
        service.expect_only_read(status == "submitted", "a job", response, change)


@points(1, after="test_a_job_is_shown")
def test_the_status_follows(submission, api):
    """GET /jobs/<jid> shows the status that another program has set since"""
    jid = post(api)
    api.get(f"/jobs/{jid}")
    call = service.set_status(submission, jid, "in progress")
    expect(
        submission.redis.status(jid) == "in progress",
        "the status of the job in Redis is then `in progress`",
        call=call,
        hint="This is a matter of update_job_status(): check `execute_job` first.",
    )
    response = api.get(f"/jobs/{jid}")
    expect(
        response.holds({"id": jid, "status": "in progress"}, in_texts=False),
        "the status that is in Redis now: in progress",
        call=response,
        hint="From where does your function take the job: from Redis, or from a variable that "
        "only this program can see?",
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
    """Tell whether an object has words of its own in it."""
    texts = [text for fields in response.objects for text in fields.values()]
    return any(isinstance(text, str) and text not in ("", jid) for text in texts)


def expect_unknown(submission, api, jid, before):
    """Ask for an id that no job has: 404, as JSON, and the keys are the same as before."""
    response = service.expect_not_found(api, f"/jobs/{jid}", lambda got: hint_for_unknown(got, jid))
    expect(
        response.json and not isinstance(response.json, int | float),
        'an error as JSON, such as {"error": "there is no job …"}',
        call=response,
        hint="Who wrote this answer, you or Flask? Compare it with how POST /jobs answers.",
    )
    is_unchanged = submission.redis.keys() == before
    service.expect_only_read(is_unchanged, "a job", response, "a new key is in Redis")


def hint_for_unknown(response, jid):
    """Return a question that leads from another answer than 404 to its cause."""
    if response.hint:
        return response.hint
    if response.status == 200 and says_more_than(response, jid):
        return SAID_IN_WORDS
    return (
        "What does your function get from Redis for a key that is not there? Print it. "
        "Which of your lines meets it first?"
    )


@points(1, after="test_a_good_body_makes_one_job")
def test_malformed_json_is_refused(submission):
    """POST /jobs answers 400 to a body that is not JSON, and goes on"""
    expect_refused(
        submission,
        MALFORMED,
        "What does the line that reads the body do when it is not JSON: raise, or return "
        "something? What does your code do then?",
    )


@points(1, after="test_a_good_body_makes_one_job")
def test_what_is_no_job_is_refused(submission):
    """POST /jobs answers 400 to JSON without a start and an end, and goes on"""
    expect_refused(
        submission,
        NO_JOB,
        'This body is valid JSON. What is it in Python, and what does body["start"] do with it?',
    )


@points(1, after="test_a_good_body_makes_one_job")
def test_what_is_no_text_is_refused(submission):
    """POST /jobs answers 400 when start or end is not text, and goes on"""
    expect_refused(
        submission,
        NO_TEXT,
        "JSON has texts, numbers, null, lists. Which of them may a start be, and which line of "
        "yours asks?",
    )


@points(1, after=("test_a_job_is_shown", "test_an_unknown_id_is_not_found"))
def test_answers_say_that_they_are_json(submission, api):
    """The answers of POST and GET say that they are JSON"""
    responses = [api.post("/jobs", GOOD)]
    responses += [api.get(f"/jobs/{jid}") for jid in (responses[0].job_id, service.UNKNOWN)]
    for response in responses:
        expect(
            response.content_type.endswith("json"),
            "the content type application/json",
            call=response,
            hint="Flask takes a text for a web page (text/html). What does it make of a dict?",
        )
