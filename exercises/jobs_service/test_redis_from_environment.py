"""The queue and the client ask the Redis that REDIS_HOST and REDIS_PORT name."""

import ast
import contextlib

from jobs_kit.grading import CheckError, Exercise, NotReachedError, expect, points
from jobs_kit.grading.programs.explanations import ending
from jobs_kit.grading.programs.formats import jid_of
from jobs_kit.grading.programs.hints import hint_for

HANDED_OUT = "172.17.0.1"
READS = {"environ", "environb", "getenv"}


def is_attempted(source):
    """Tell whether the address is another than the handed-out one, or the environment is read."""
    nodes = [node for file in source.modules() for node in ast.walk(source.tree(file))]
    texts = [one.value for one in nodes if isinstance(one, ast.Constant)]
    names = {getattr(one, "attr", getattr(one, "id", None)) for one in nodes}
    if not {"q", "rd", "_rd"} & source.definitions().keys():
        return bool(names & READS)
    return bool(names & READS) or not any(HANDED_OUT in str(one) for one in texts)


EXERCISE = Exercise(
    __file__,
    number=80,
    lesson="build_the_jobs_service",
    title="Take the address from the environment",
    files=("jobs.py", "worker.py"),
    changes={"jobs.py": ("q", "rd")},
    is_attempted=is_attempted,
    hints=(
        "Where in the files does an address stand, with its host and its port? Each of these "
        "places has to ask the environment instead. The module os knows the environment.",
        "os.environ is like a dict: its get() takes a name and what to return if that name is not "
        "there. Ask once for the host and once for the port, and hand both to q and to rd.",
        'os.environ.get("REDIS_HOST", …) and int(os.environ.get("REDIS_PORT", …)), kept in two '
        "variables above q and rd; then host= and port= of both get these variables.",
    ),
)

START, END = "2012-01-01", "2012-01-31"
PLACES = (("first.example", "7001"), ("second.example", "7002"))
NOWHERE = (None, "", "None")  # what becomes of a variable that is not set
UNSET = {"REDIS_HOST": None, "REDIS_PORT": None, "REDIS_URL": None, "REDIS_IP": None}


def environment(**variables):
    """Return what a program sees of Redis: these variables and no others."""
    return UNSET | variables


def shown(variables, what):
    """Return a call as text, with its variables in front as in a terminal."""
    words = [f"{name}={value}" for name, value in variables.items() if value is not None]
    return " ".join([*words, what])


def add_job(submission, variables):
    """Call add_job() in this environment; return (Call, its text)."""
    call = submission.call("jobs", "add_job", START, END, **variables)
    return call, shown(variables, call.call_text)


def addresses(submission, host, port):
    """Call add_job() with this host and port in the environment.

    Returns (the call as text, the addresses that the queue asked, those that the other client
    asked), each address a dict with "host" and "port".
    """
    before = len(submission.redis.pushes())
    variables = environment(REDIS_HOST=host, REDIS_PORT=port)
    call, text = add_job(submission, variables)
    databases = {str(one.db) for one in submission.redis.pushes()[before:]}
    is_of_add_job = call.error is None or "ellipsis" in call.error["message"]
    is_of_add_job = is_of_add_job or call.error["type"] == "NameError"
    if call.process.events("imported") and not databases and is_of_add_job:
        submission.add_job()  # which says so if it does not do its part elsewhere either
    expect(
        call.process.events("value"),
        "add_job() works, wherever Redis is",
        call=text,
        got=call.outcome_text,
        hint=why(call.error),
    )
    asked = call.process.events("redis_connection")
    queue = [one for one in asked if str(one["db"] or 0) in databases]
    return text, queue, [one for one in asked if one not in queue] or queue


def why(error):
    """Return a question that leads from what was raised to its cause."""
    if (error or {}).get("type") == "KeyError":
        return "REDIS_HOST and REDIS_PORT are set. Which name do you ask for?"
    is_called = any(
        said in (error or {}).get("message", "") for said in ("not callable", "not subs")
    )
    if (error or {}).get("type") in ("ValueError", "AttributeError", "TypeError") and not is_called:
        return "What are the values of host= and port= at the lines that make q and rd? Print them."
    return hint_for(error)


def named(one):
    """Return an address as text."""
    if one.get("path"):
        return f"the socket {one['path']}"
    host = one["host"] if one["host"] is not None else "None (which means localhost)"
    return f"host {host}, port {one['port']}"


def expect_followed(asked, name, value, who, call):
    """Expect that all of these addresses have this host or port."""
    part = name.removeprefix("REDIS_").lower()
    other = next((one for one in asked if str(one[part]) != value or one.get("path")), None)
    if other and name in str(other[part]):
        hint = (
            f"{name} is the name of a variable, and here it is taken for the value. What asks the "
            "environment for the value? It takes the name first, and a default second."
        )
    elif other and other[part] is None:
        hint = f"What is the name of the variable that you ask for? {name} is set."
    else:
        hint = f"Where does {who} take its {part} from? Follow the value back to where it began."
    got = other and f"{who} asks {named(other)}"
    expect(not other, f"{who} asks {part} {value}", call=call, got=got, hint=hint)


@points(1)
def test_the_queue_follows_the_host(submission):
    """The queue asks the host that REDIS_HOST names"""
    for host, port in PLACES:
        call, queue, _ = addresses(submission, host, port)
        expect_followed(queue, "REDIS_HOST", host, "the queue", call)


@points(1, after="test_the_queue_follows_the_host")
def test_the_client_follows_the_host(submission):
    """The client of the jobs asks the same host"""
    for host, port in PLACES:
        call, _, client = addresses(submission, host, port)
        expect_followed(client, "REDIS_HOST", host, "the client of the jobs", call)


@points(1, after="test_the_client_follows_the_host")
def test_both_follow_the_port(submission):
    """Both ask the port that REDIS_PORT names"""
    for host, port in PLACES:
        call, queue, client = addresses(submission, host, port)
        expect_followed(queue, "REDIS_PORT", port, "the queue", call)
        expect_followed(client, "REDIS_PORT", port, "the client of the jobs", call)


@points(1, after="test_both_follow_the_port")
def test_the_worker_follows(submission):
    """The worker and the API ask there, too, and nowhere else"""
    host, port = PLACES[0]
    variables = environment(REDIS_HOST=host, REDIS_PORT=port)
    call, _ = add_job(submission, variables)
    jid = jid_of(call.value)  # None if add_job() returns none: that is for another exercise, too
    process = submission.start("worker.py", **variables)
    # whether it does its job well is the matter of another exercise
    submission.until(
        lambda: (
            submission.has_settled(process)
            or (jid and submission.redis.status(jid) in ("complete", "failed"))
        )
    )
    asked = process.events("redis_connection")
    if not asked:
        raise NotReachedError(
            "python worker.py asks no Redis at all; the exercise execute_job comes first",
            call=process.call_text,
            got=ending(process),
        )
    expect_nowhere_else(process, variables)
    with contextlib.suppress(CheckError):  # whether it serves, and how, is for other exercises, too
        submission.serve(**variables).post("/jobs", {"start": START, "end": END})
    expect_nowhere_else(submission.processes[-1], variables)


def expect_nowhere_else(process, variables):
    """Expect that a program has asked the Redis that its environment names, and no other."""
    host, port = variables["REDIS_HOST"], variables["REDIS_PORT"]
    asked = process.events("redis_connection")
    other = next((one for one in asked if (one["host"], str(one["port"])) != (host, port)), None)
    file = process.call_text.removeprefix("python ")
    expect(
        not other,
        f"host {host}, port {port}",
        call=shown(variables, process.call_text),
        got=other and f"it asks {named(other)} as well",
        hint=f"Does {file} make a queue or a client of its own? Which of those in jobs.py would do?",
    )


@points(1, after="test_both_follow_the_port")
def test_unset_variables(submission):
    """Where a variable is not set, there is a default, or an error that names it"""
    host, port = PLACES[0]
    for variables in ({"REDIS_HOST": host}, {"REDIS_PORT": port}, {}):
        call, text = add_job(submission, environment(**variables))
        missing = [name for name in ("REDIS_HOST", "REDIS_PORT") if name not in variables]
        said = call.process.output.partition("Traceback")[0]
        said += (call.error or {}).get("message", "")
        asked = call.process.events("redis_connection") if call.process.events("value") else []
        for name, value in variables.items():
            expect_followed(asked, name, value, "a program without " + " and ".join(missing), text)
        nowhere = [one for one in asked if one["host"] in NOWHERE and not one.get("path")]
        expect(
            not nowhere,
            "a default that stands in your code, or an error that names the missing variable",
            call=f"{text}\nwithout {' and '.join(missing)}",
            got="the host is None, of which redis-py makes localhost without a word"
            if nowhere and nowhere[0]["host"] is None
            else f"the host is {nowhere and nowhere[0]['host']!r}, and no machine is called so",
            hint="What does your line get for a name that the environment does not have? Who would "
            "notice if the variable were forgotten where Redis is somewhere else?",
        )
        expect(
            call.process.events("value") or any(name in said for name in missing),
            "a default, such as localhost and 6379, or an error that names the missing variable",
            call=f"{text}\nwithout {' and '.join(missing)}",
            got=call.outcome_text,
            hint="What does your line get for a name that the environment does not have? And what does "
            "the next function make of it?",
        )
