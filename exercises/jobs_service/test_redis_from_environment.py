"""The queue and the Redis connection use the address that REDIS_HOST and REDIS_PORT name."""

import ast
import contextlib
import re

from jobs_kit.grading import CheckError, Exercise, NotReachedError, addresses, expect, points

HANDED_OUT = "172.17.0.1"
READS = {"environ", "environb", "getenv"}


def is_attempted(source):
    """Tell whether the address is not the starter's, or the environment is read."""
    nodes = source.nodes()
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    names = {getattr(node, "attr", getattr(node, "id", None)) for node in nodes}
    if not {"q", "rd", "_rd"} & source.definitions().keys():
        return bool(names & READS)
    return bool(names & READS) or not any(HANDED_OUT in str(text) for text in texts)


EXERCISE = Exercise(
    __file__,
    number=80,
    lesson="build_the_jobs_service",
    title="Take the address from the environment",
    files=("jobs.py", "worker.py"),
    changes={"jobs.py": ("q", "rd")},
    is_attempted=is_attempted,
    hints=(
        "Which lines of your files contain an address, a host and a port? Each of them has to read "
        "the environment instead. The module os knows the environment.",
        "os.environ is like a dict: its get() takes a name and a default. Read the host once and "
        "the port once, and pass both to q and to rd.",
        'Keep os.environ.get("REDIS_HOST", …) and int(os.environ.get("REDIS_PORT", …)) in two '
        "variables above q and rd, and use these variables as host= and port= of both.",
    ),
)

START, END = "2012-01-01", "2012-01-31"
CONNECTION = "the Redis connection for the jobs"
ASK_THE_CLIENTS = """
import hotqueue
import redis

import jobs


def ask():
    things = list(vars(jobs).values())
    things += [part for thing in things for part in getattr(thing, "__dict__", {}).values()]
    for thing in things:
        if isinstance(thing, hotqueue.HotQueue):
            len(thing)
        elif isinstance(thing, redis.Redis):
            thing.ping()
"""
ABOUT_ADDRESSES = re.compile(
    r"environ|getenv|REDIS_|\b(host|port)\b|(HotQueue|Redis|from_url)\(", re.IGNORECASE
)
NOWHERE = (None, "", "None")  # the host that a missing default leads to


def connect(submission, variables):
    """Let the queue and the Redis connection connect in this environment; return (Call, its text).

    add_job() uses both. Where it fails for a reason that has nothing to do with addresses, which is
    for another exercise, both are asked directly. Raises NotReachedError where that is impossible.
    """
    try:
        call = submission.call("jobs", "add_job", START, END, **variables)
    except CheckError as late:
        raise not_reached("add_job", late.call, late.got) from None
    if fails_for_another_reason(call):
        submission.write("check_clients.py", ASK_THE_CLIENTS)
        asked = submission.call("check_clients", "ask", **variables)
        if fails_for_another_reason(asked):
            first = "add_job" if call.process.events("imported") else "imports"
            raise not_reached(first, call.call_text, call.outcome_text)
        call, asked.call_text = asked, "q and rd of jobs.py connect to Redis"
    return call, addresses.in_environment(variables, call.call_text)


def not_reached(first, call, got):
    """Return the NotReachedError for a service that fails for a reason of another exercise."""
    return NotReachedError(
        "this check needs add_job(), and add_job() fails for a reason that has nothing to do with "
        f"addresses; the exercise {first} comes first",
        call=call,
        got=got,
    )


def fails_for_another_reason(call):
    """Tell whether a Call failed, and neither when it connected nor at a line about an address."""
    if not call.error:
        return not call.process.events("redis_connection")
    lines = " ".join(frame["text"] for frame in call.error["frames"])
    return not call.error.get("connecting") and not ABOUT_ADDRESSES.search(lines)


def asked_addresses(submission, host, port):
    """Connect with this host and port in the environment.

    Returns (the call as text, the addresses that the queue asked, those that the other client
    asked), each address a dict with "host" and "port".
    """
    variables = addresses.environment(REDIS_HOST=host, REDIS_PORT=port)
    before = len(submission.redis.pushes())
    call, text = connect(submission, variables)
    expect(
        call.returned,
        "add_job() works, wherever Redis is",
        call=text,
        got=call.outcome_text,
        hint=hint_for_call(call),
    )
    databases = {str(push.db) for push in submission.redis.pushes()[before:]}
    databases = databases or {str(queue["db"]) for queue in call.process.events("queue")}
    asked = call.process.events("redis_connection")
    queue = [address for address in asked if str(address["db"] or 0) in databases]
    return text, queue, [address for address in asked if address not in queue] or queue


def hint_for_call(call):
    """Return a question that leads from what add_job() raised to its cause."""
    error = call.error or {"type": None, "message": ""}
    if error["type"] == "KeyError":
        return "REDIS_HOST and REDIS_PORT are set. Which name do you ask for?"
    is_called = any(words in error["message"] for words in ("not callable", "not subs"))
    if error["type"] in ("ValueError", "AttributeError", "TypeError") and not is_called:
        return "What are the values of host= and port= at the lines that make q and rd? Print them."
    return call.hint


@points(1)
def test_the_queue_follows_the_host(submission):
    """The queue uses the host that REDIS_HOST names"""
    for host, port in addresses.PLACES:
        call, queue, _ = asked_addresses(submission, host, port)
        addresses.expect_variable_followed(queue, "REDIS_HOST", host, "the queue", call)


@points(1, after="test_the_queue_follows_the_host")
def test_the_client_follows_the_host(submission):
    """The Redis connection for the jobs uses the same host"""
    for host, port in addresses.PLACES:
        call, _, client = asked_addresses(submission, host, port)
        addresses.expect_variable_followed(client, "REDIS_HOST", host, CONNECTION, call)


@points(1, after="test_the_client_follows_the_host")
def test_both_follow_the_port(submission):
    """Both use the port that REDIS_PORT names"""
    for host, port in addresses.PLACES:
        call, queue, client = asked_addresses(submission, host, port)
        addresses.expect_variable_followed(queue, "REDIS_PORT", port, "the queue", call)
        addresses.expect_variable_followed(client, "REDIS_PORT", port, CONNECTION, call)


@points(1, after="test_both_follow_the_port")
def test_the_worker_follows(submission):
    """The worker and the API use this address, too, and no other"""
    host, port = addresses.PLACES[0]
    variables = addresses.environment(REDIS_HOST=host, REDIS_PORT=port)
    # None if add_job() returns none: that is for another exercise, too
    jid = submission.call("jobs", "add_job", START, END, **variables).job_id
    process = submission.start("worker.py", **variables)
    # another exercise checks whether it does its job well
    submission.until(
        lambda: (
            submission.has_settled(process)
            or (jid and submission.redis.status(jid) in ("complete", "failed"))
        )
    )
    asked = process.events("redis_connection")
    if not asked:
        raise NotReachedError(
            "python worker.py never connects to Redis; the exercise execute_job comes first",
            call=process.call_text,
            got=process.outcome_text,
        )
    addresses.expect_environment_followed(process, variables)
    with contextlib.suppress(CheckError):  # whether it serves, and how, is for other exercises, too
        submission.serve(**variables).post("/jobs", {"start": START, "end": END})
    addresses.expect_environment_followed(submission.processes[-1], variables)


@points(1, after="test_both_follow_the_port")
def test_unset_variables(submission):
    """If a variable is not set, there is a default, or an error that names it"""
    host, port = addresses.PLACES[0]
    for variables in ({"REDIS_HOST": host}, {"REDIS_PORT": port}, {}):
        call, text = connect(submission, addresses.environment(**variables))
        missing = [name for name in ("REDIS_HOST", "REDIS_PORT") if name not in variables]
        words = call.process.output.partition("Traceback")[0]
        words += (call.error or {}).get("message", "")
        asked = call.process.events("redis_connection") if call.returned else []
        who = f"a program without {' and '.join(missing)}"
        for name, value in variables.items():
            addresses.expect_variable_followed(asked, name, value, who, text)
        nowhere = [at for at in asked if at["host"] in NOWHERE and not at.get("path")]
        expect(
            not nowhere,
            "there is a default in your code, or an error that names the missing variable",
            call=f"{text}\nwithout {' and '.join(missing)}",
            got="the host is None, and redis-py uses localhost without a warning"
            if nowhere and nowhere[0]["host"] is None
            else f"the host is {nowhere and nowhere[0]['host']!r}, and no machine has this name",
            hint="What does your line return for a name that the environment does not have? Add a "
            "default there.",
        )
        expect(
            call.returned or any(name in words for name in missing),
            "there is a default, such as localhost and 6379, or an error that names the missing "
            "variable",
            call=f"{text}\nwithout {' and '.join(missing)}",
            got=call.outcome_text,
            hint="What does your line return for a name that the environment does not have? Add a "
            "default there.",
        )
