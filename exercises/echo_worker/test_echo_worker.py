"""echo.py, started as a program, prints each message of the queue `echo` once, in order."""

import re
from collections import Counter

from jobs_kit.grading import Exercise, expect, expect_no_recursion, points, short

EXERCISE = Exercise(
    __file__,
    number=20,
    lesson="turn_a_function_into_a_worker",
    title="Write a worker that echoes",
    files=("echo.py",),
    changes={"echo.py": ("echo", "q")},
    is_attempted=lambda response: response.has_code(),
    hints=(
        "Which line of echo.py makes the queue, and which line starts the worker?",
        "A program has three parts here: the queue, the decorated function, a call of it.",
        "@q.worker above def echo(item), print(item) inside, and echo() as the last line.",
    ),
)


def start(submission):
    """Start echo.py and wait until it waits at its queue; return the process."""
    process = submission.start("echo.py")
    submission.settle(process)
    hint = "Defining a worker does not start it: which line calls it? And is it reached?"
    if process.events("threads"):
        hint = "A daemon thread ends with its program. What does the program itself wait for?"
    elif submission.redis.polled_lists():
        hint = "It asked its queue, which was empty, and ended. Which line lets it end then?"
    _expect_running(process, hint)
    return process


def _expect_running(process, hint=None, before=""):
    expect(
        process.running,
        "the program waits for the next message, and does not end",
        call=process.call_text,
        got=before + process.outcome_text,
        hint=process.hint if process.error else hint,
    )


@points(1)
def test_it_waits_at_the_empty_queue(submission):
    """Started as a program, it stays alive while its queue is empty"""
    process = start(submission)
    asked = submission.redis.pops()
    if any(command.time_out for command in asked):
        submission.let_time_pass(process)
        submission.until(lambda: len(submission.redis.pops()) > len(asked) or not process.running)
    _expect_running(
        process, "What told it how long to wait?", "when it had waited in vain for a while, "
    )
    line, times = (Counter(process.output.splitlines()).most_common(1) or [("", 0)])[0]
    expect(
        times < 3,
        "as long as there is no message, it prints none",
        call=process.call_text,
        got=f"the queue is empty, and it prints {short(line)!r} again and again",
        hint="What does get() return when the queue is empty, and which call waits instead?",
    )


@points(1, after="test_it_waits_at_the_empty_queue")
def test_its_queue_is_named_echo(submission):
    """Its queue is named echo"""
    process = start(submission)
    _, key = submission.queue_place(process)
    expect(
        # on the Redis of a class a prefix stands in front
        key == "hotqueue:echo" or re.fullmatch(r"hotqueue:.+\.echo", key),
        "it waits at the queue `echo`, which Redis knows as hotqueue:echo",
        call=process.call_text,
        got=f"it waits at {key}",
        hint="What is the first argument of HotQueue?",
    )


@points(2, after="test_its_queue_is_named_echo")
def test_it_prints_each_message_once_in_order(submission, note):
    """It prints each message once, in the order in which they came"""
    process = start(submission)
    words, before = ["apple", "banana", "cherry", "date"], len(process.output)

    def printed():
        return re.findall("|".join(words), process.output)

    def expect_printed(claim):
        expect(
            printed() == words,
            claim,
            call=f"put {', '.join(words)} on the queue",
            got=f"it printed\n{process.printed_text}",
            hint=_hint(process, printed(), words, process.output[before:], submission),
        )

    submission.feed(
        process, *words, until=lambda: len(printed()) > len(words) or printed() == words
    )
    expect_printed("it prints these four, each once, in this order")
    settled = submission.until(lambda: submission.has_settled(process) or printed() != words)
    if not settled:
        raise submission.timed_out(process, "it comes back to the queue for the next message")
    expect_printed("it prints each message once")
    _expect_running(process, "What happens after the last message?")
    expect_no_recursion(submission, process)
    if submission.queue_of(process)["serializer"] is None:
        note("the queue has no serializer: each item is bytes, and is printed as b'…'")
    submission.note_socket_timeout(process, note)


def _hint(process, printed, words, output, submission):
    """Return a question that leads from the output, with these messages in it, to its cause."""
    if process.error and "argument" in process.error.get("message", ""):
        return "The worker hands the item in by itself. What else is handed in here, or asked for?"
    if process.error:
        return process.hint or "What was handed to the line that raised, and what can it take?"
    if "was never awaited" in output:
        return "A call of an `async def` does nothing until somebody awaits it. Does HotQueue?"
    if len(printed) > len(words):
        return "How many lines print a message, and does one of them put it on the queue again?"
    if not printed and output.strip():
        return "For each message something is printed. Where does the message stand in print(…)?"
    if not printed:
        return "The messages were taken. Which line prints them, and is it reached?"
    if len(printed) < len(words) and not submission.redis.count_waiting():
        return "How many lines take a message off the queue, and does each of them print it?"
    if len(printed) < len(words):
        return "Which line takes the next message, when one is done?"
    return "At which end of the list does put() add a message, and from which one is it taken?"


@points(1, after="test_it_prints_each_message_once_in_order")
def test_it_prints_items_of_every_kind(submission):
    """It prints an item of any kind: a number, a list"""
    process = start(submission)

    def printed():
        return re.findall(r"(?<!\d)4711(?!\d)|egg", process.output)

    submission.feed(process, 4711, ["egg", 7], until=lambda: printed() == ["4711", "egg"])
    expect(
        printed() == ["4711", "egg"],
        "it prints the number 4711, and then the list with the egg",
        call='put 4711 and ["egg", 7] on the queue',
        got=f"it printed\n{process.printed_text}",
        hint="Of which type is the item here, and what does this line need?"
        if process.error
        else "What does your program do with an item that is no text? Is an exception caught, and "
        "kept from being seen?",
    )
    _expect_running(process)
