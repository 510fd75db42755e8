"""GET /jobs/<jid> shows a job or answers 404; POST /jobs takes nothing but a job."""

import ast

from jobs_kit.grading import Exercise, NotAttemptedError, expect, points
from jobs_kit.grading.programs.formats import dicts_in, jid_of
from jobs_kit.grading.programs.hints import hint_for_view

GOOD = {"start": "2012-01-01", "end": "2012-03-31"}
OTHER = {"start": "2014-11-01", "end": "2014-11-30"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
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
    mine, handed_out = source.tree("api.py"), ast.parse(source.handed_out().get("api.py", ""))
    if _count(mine) <= _count(handed_out) and not source.differs("jobs_api", "api.py"):
        raise NotAttemptedError(
            "nothing to judge yet: api.py has no new route, and the old one is as it was"
        )
    return True


def _count(tree):
    """Return how many functions, classes and added routes stand in a tree."""
    return sum(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        or (isinstance(node, ast.Attribute) and node.attr == "add_url_rule")
        for node in ast.walk(tree)
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
    expect(
        response.status in (200, 201, 202),
        "202 (or 200, 201): the job is taken",
        call=response,
        hint=hint_for_status(response),
    )
    jid = jid_in(response.json)
    expect(
        jid,
        'JSON with the id of the new job, such as {"id": "1f6e3c1c-…", …}',
        call=response,
        hint="What does add_job() return, and does all of it arrive at whoever asked?",
    )
    return jid


def jid_in(value):
    """Return the id in what POST answered, or None."""
    found = [jid_of(one) for one in dicts_in(value)] or [jid_of(value)]
    return next(filter(None, found), None)


def hint_for_status(response):
    """Return a question that leads from a status code to its cause."""
    if response.status >= 500:
        return hint_for_view(response) or (
            "500 means that your function raised. Which line of yours is the last one, and what is "
            "each name in it at that moment?"
        )
    if response.status == 404 and response.json:
        return (
            "Your own line says so: the route was found, and the job was not. At which key was it "
            "saved, at which key does your function look, and what does it make of what it finds?"
        )
    return {
        400: "Which part of your code says that this body is no job?",
        404: "For which path and for which methods is your route made? And the key that is looked "
        "up: is it the one that the job was saved at? (A route below app.run() is never made.)",
        405: "The path is known, and the method is not. For which methods is your route made?",
    }.get(response.status, "Which status code does your function give, and where?")


def has(response, fields):
    """Tell whether an answer holds a JSON object with these fields, texts all of them."""
    return any(
        all(found.get(name) == value for name, value in fields.items())
        for found in dicts_in(response.json, in_texts=False)
    )


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


def expect_refused(submission, api, bodies, hint):
    """POST each of these; each must be refused and change nothing, and a job be taken afterwards.

    A job that is there already must still be there.
    """
    post(api)
    before, pushes = submission.redis.keys(), len(submission.redis.pushes())
    for body in bodies:
        response = api.post("/jobs", body)
        now = submission.redis.keys()
        in_words = response.status < 400 and now == before
        expect(
            response.status in (400, 422),
            "400 (or 422): the request is at fault, and not the server",
            call=response,
            hint=SAID_IN_WORDS if in_words else hint_for_view(response) or hint,
        )
        gone = [one for one in before if one not in now]
        expect(
            not gone,
            "what is refused leaves everything else in Redis as it is",
            call=response,
            got=f"{response.outcome_text}\nand the job that was added before is gone",
            hint="Which command of yours takes more away than the job that was refused?",
        )
        expect(
            now == before and len(submission.redis.pushes()) == pushes,
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
    queued = [text for one in submission.redis.pushes() for text in one.arguments[1:]]
    stored, with_id = len(submission.redis.jobs()), sum(jid.encode() in text for text in queued)
    expect(
        stored == len(queued) == with_id == 1,
        "one job is saved, and its id is put on the queue once",
        call=f"POST /jobs, answered with the id {jid}",
        got=f"{stored} saved; {len(queued)} on the queue, {with_id} of them with this id",
        hint="How often is add_job() called for one request?"
        if len(queued) > 1
        else "Which part of add_job() is missing? This belongs to `add_job`, check it first.",
    )


@points(2, after="test_a_good_body_makes_one_job")
def test_a_job_is_shown(submission):
    """GET /jobs/<jid> answers 200 with the id, status, start and end of that job"""
    api = submission.serve()
    posted = [(post(api, dates), dates) for dates in (GOOD, OTHER)]
    for jid, dates in posted:
        response = api.get(f"/jobs/{jid}")
        wanted = {"id": jid, "status": "submitted"} | dates
        expect(
            response.status == 200, "200 and the job", call=response, hint=hint_for_status(response)
        )
        expect(
            has(response, wanted),
            f"the job as JSON: {wanted}",
            call=response,
            hint=hint_for_job(submission, response, wanted),
        )
        expect(
            submission.redis.status(jid) == "submitted",
            "to ask for a job changes nothing in Redis",
            call=response,
            got=f"{response.outcome_text}\nand afterwards its status is {submission.redis.status(jid)}",
            hint="Which of your lines writes, although somebody only wanted to read?",
        )


@points(1, after="test_a_job_is_shown")
def test_the_status_follows(submission):
    """GET /jobs/<jid> shows the status that another program has set since"""
    api = submission.serve()
    jid = post(api)
    api.get(f"/jobs/{jid}")
    call = submission.call("jobs", "update_job_status", jid, "in progress")
    expect(
        submission.redis.status(jid) == "in progress",
        "the status of the job in Redis is then `in progress`",
        call=call,
        hint="This is a matter of update_job_status(): check `execute_job` first.",
    )
    response = api.get(f"/jobs/{jid}")
    expect(
        has(response, {"id": jid, "status": "in progress"}),
        "the status that is in Redis now: in progress",
        call=response,
        hint="From where does your function take the job: from Redis, or from a variable that "
        "only this program can see?",
    )


@points(2, after="test_a_job_is_shown")
def test_an_unknown_id_is_not_found(submission):
    """GET /jobs/<jid> answers 404 with a JSON error for an id that no job has"""
    api = submission.serve()
    jid = post(api)
    before = submission.redis.keys()
    nearly = jid[:-1] + ("1" if jid.endswith("0") else "0")
    for unknown in (UNKNOWN, nearly):
        expect_unknown(submission, api, unknown, before)


def says_more_than(value, jid):
    """Tell whether an object has words of its own in it."""
    texts = [one for found in dicts_in(value) for one in found.values() if isinstance(one, str)]
    return any(one not in ("", jid) for one in texts)


def expect_unknown(submission, api, jid, before):
    """Ask for an id that no job has: 404, as JSON, and the keys are the same as before."""
    response = api.get(f"/jobs/{jid}")
    response.call_text += ", an id that no job has"
    expect(
        response.status == 404,
        "404: there is no such job",
        call=response,
        hint=hint_for_view(response)
        or (
            SAID_IN_WORDS if response.status == 200 and says_more_than(response.json, jid) else None
        )
        or "What does your function get from Redis for a key that is not there? Print it. "
        "Which of your lines meets it first?",
    )
    expect(
        response.json and not isinstance(response.json, int | float),
        'an error as JSON, such as {"error": "there is no job …"}',
        call=response,
        hint="Who wrote this answer, you or Flask? Compare it with how POST /jobs answers.",
    )
    expect(
        submission.redis.keys() == before,
        "to ask for a job changes nothing in Redis",
        call=response,
        got=f"{response.outcome_text}\nand a new key is in Redis",
        hint="Which of your lines writes, although somebody only wanted to read?",
    )


@points(1, after="test_a_good_body_makes_one_job")
def test_malformed_json_is_refused(submission):
    """POST /jobs answers 400 to a body that is not JSON, and goes on"""
    expect_refused(
        submission,
        submission.serve(),
        MALFORMED,
        "What does the line that reads the body do when it is not JSON: raise, or return "
        "something? What does your code do then?",
    )


@points(1, after="test_a_good_body_makes_one_job")
def test_what_is_no_job_is_refused(submission):
    """POST /jobs answers 400 to JSON without a start and an end, and goes on"""
    expect_refused(
        submission,
        submission.serve(),
        NO_JOB,
        'This body is valid JSON. What is it in Python, and what does body["start"] do with it?',
    )


@points(1, after="test_a_good_body_makes_one_job")
def test_what_is_no_text_is_refused(submission):
    """POST /jobs answers 400 when start or end is not text, and goes on"""
    expect_refused(
        submission,
        submission.serve(),
        NO_TEXT,
        "JSON has texts, numbers, null, lists. Which of them may a start be, and which line of "
        "yours asks?",
    )


@points(1, after=("test_a_job_is_shown", "test_an_unknown_id_is_not_found"))
def test_answers_say_that_they_are_json(submission):
    """The answers of POST and GET say that they are JSON"""
    api = submission.serve()
    responses = [api.post("/jobs", GOOD)]
    responses += [api.get(f"/jobs/{jid}") for jid in (jid_in(responses[0].json), UNKNOWN)]
    for response in responses:
        expect(
            response.content_type.endswith("json"),
            "the content type application/json",
            call=response,
            hint="Flask takes a text for a web page (text/html). What does it make of a dict?",
        )
