"""echo.py, started as a program, prints each message of the queue `echo` once, in order."""

import re
from collections import Counter
from contextlib import suppress

from jobs_kit.grading import (
    CheckError,
    Exercise,
    NotReachedError,
    expect,
    expect_no_recursion,
    hint_for_not_started,
    points,
    short,
)

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
        "After its imports, the program has three parts: the queue, the decorated function, and a "
        "call of the function.",
        "Write @q.worker above def echo(item), print(item) inside, and echo() as the last line.",
    ),
)

# no banner has these words; of ten, no chance keeps the order
WORDS = ["boysenberry", "damson", "cranberry", "cranberry", "apricot"]
WORDS += ["bilberry", "damson", "quince", "mirabelle", "apricot"]
EMPTY = (0, "", [])  # which count as false


def start(submission):
    """Start echo.py and wait until it waits at its queue; return the process."""
    process = submission.start("echo.py")
    submission.settle(process)
    hint = hint_for_not_started(submission.source, "echo.py")
    if process.events("threads") and not submission.has_run_out(process):
        hint = "A daemon thread ends with its program. Which line makes the program itself wait?"
    elif submission.redis.polled_lists():
        hint = "It asked its queue, which was empty, and ended. Which line lets it end?"
    _expect_running(process, hint)
    return process


def start_any(submission):
    """Start echo.py; return the Process when it waits at its queue, or ended because that was empty.

    Raises NotReachedError.
    """
    with suppress(CheckError):
        process = submission.start("echo.py")
        submission.settle(process)
        if process.running or submission.has_run_out(process):
            return process
    raise NotReachedError(
        "it waits for another check: The program keeps running while its queue is empty",
        waits_for="test_it_waits_at_the_empty_queue",
    )


def _expect_running(process, hint=None, before=""):
    expect(
        process.running,
        "the program waits for the next message and does not end",
        call=process.call_text,
        got=before + process.outcome_text,
        hint=process.any_hint or hint,
    )


@points(1)
def test_it_waits_at_the_empty_queue(submission):
    """The program keeps running while its queue is empty"""
    process = start(submission)
    asked = submission.redis.pops()
    if any(command.time_out for command in asked):
        submission.let_time_pass(process)
        submission.until(lambda: len(submission.redis.pops()) > len(asked) or not process.running)
    _expect_running(
        process, "Which argument limits how long it waits?", "after a while without a message, "
    )
    line, times = (Counter(process.output.splitlines()).most_common(1) or [("", 0)])[0]
    expect(
        times < 3,
        "it prints nothing while there is no message",
        call=process.call_text,
        got=f"the queue is empty, and it prints {short(line)!r} again and again",
        hint="get() returns None when the queue is empty. Which call waits for a message instead?",
    )


@points(1, unless_late="test_it_waits_at_the_empty_queue")
def test_its_queue_is_named_echo(submission):
    """Its queue is named echo"""
    process = start_any(submission)
    _, key = submission.queue_place(process)
    expect(
        # on a class's Redis, the name begins with a prefix
        key == "hotqueue:echo" or re.fullmatch(r"hotqueue:.+\.echo", key),
        "it waits at the queue `echo`; its key in Redis is hotqueue:echo",
        call=process.call_text,
        got=f"it waits at {key}",
        hint="What is the first argument of HotQueue in your program?",
    )


@points(2, after="test_its_queue_is_named_echo")
def test_it_prints_each_message_once_in_order(submission, note):
    """It prints each message once, in the order in which they were put"""
    submission.slow_word = WORDS[0]
    process = start_any(submission)
    before = len(process.output)

    def printed(process):
        return re.findall("|".join(WORDS), process.output)

    def expect_printed(claim):
        expect(
            printed(process) == WORDS,
            claim,
            call=f"put {', '.join(WORDS)} on the queue; the first takes longest to print",
            got=f"it printed\n{process.printed_text}" + ended(process),
            hint=_hint(process, printed(process), process.output[before:], submission),
        )

    waits = process.running
    process = submission.feed(
        process, *WORDS, until=lambda one: printed(one) == WORDS or len(printed(one)) > len(WORDS)
    )
    before = before if waits else 0
    expect_printed("it prints these ten messages, each once, in this order")
    settled = submission.until(lambda: submission.has_settled(process) or printed(process) != WORDS)
    if not settled:
        raise submission.timed_out(process, "it asks the queue for the next message")
    expect_printed("it prints each message once")
    if waits:
        _expect_running(process, "Which line lets the program end after the last message?")
    expect_no_recursion(submission, process)
    if submission.queue_of(process)["serializer"] is None:
        note("the queue has no serializer, so each item is bytes and is printed as b'…'")
    submission.note_socket_timeout(process, note)


def ended(process):
    """Return how a program ended without an exception, as a further line; "" if it runs."""
    if process.running or process.error:
        return ""
    return f"\nand then the program ended with exit code {process.exit_code}"


def _hint(process, printed, output, submission):
    """Return a question that leads from the output, with these messages in it, to its cause."""
    if process.error and "argument" in process.error.get("message", ""):
        return (
            "The worker passes the item in by itself. Which other argument do you pass or expect?"
        )
    if process.error:
        return process.hint or "Which value does the line that raised get, and which can it take?"
    if "was never awaited" in output:
        return (
            "Calling an `async def` runs nothing until it is awaited, and HotQueue does not await."
        )
    if len(printed) > len(WORDS):
        return "Is there more than one line that prints a message or puts it on the queue again?"
    if not printed and output.strip():
        return "It prints something for each message. Which argument of print(…) is the message?"
    if not printed:
        return "The messages were taken. Which line prints each of them as soon as it is taken?"
    if len(printed) < len(WORDS):
        return _hint_for_lost(printed, submission)
    if printed == WORDS[::-1]:
        return (
            "put() appends to the end of the list. From which end does your program take messages?"
        )
    return (
        "A message overtakes another one that takes longer. Which line of yours starts on a message "
        "before the one before it is printed?"
    )


def _hint_for_lost(printed, submission):
    """Return a question that leads from these messages, which are too few, to its cause."""
    if submission.redis.count_waiting():
        return "Which line takes the next message after the first one is done?"
    if set(printed) == set(WORDS):
        return "Some of these messages are equal, and each one counts. Which line leaves one out?"
    return "Which lines take a message off the queue? Each of them has to print it."


@points(1, after="test_it_prints_each_message_once_in_order")
def test_it_prints_items_of_every_kind(submission):
    """It prints items of every kind: a number, a list"""
    process = start_any(submission)

    items = [4711, ["egg", 7], "plum", "plum"]
    items += [each for item in EMPTY for each in (item, "plum")]

    def printed(process):
        return re.findall(r"(?<!\d)4711(?!\d)|egg", process.output)

    waits = process.running
    process = submission.feed(
        process, *items, until=lambda one: one.output.count("plum") >= items.count("plum")
    )
    call = f"put {', '.join(map(repr, items))} on the queue"
    expect(
        printed(process) == ["4711", "egg"],
        "it prints the number 4711 and then the list with the egg",
        call=call,
        got=f"it printed\n{process.printed_text}",
        hint="What is the type of the item here, and which type does this line need?"
        if process.error
        else "What does your program do with an item that isn't a string? Look for an `except` that "
        "hides an error.",
    )
    lost = [item for item in EMPTY if not _has_printed(process, item)]
    expect(
        not lost,
        f"it prints {', '.join(map(repr, EMPTY))} as well",
        call=call,
        got=f"it printed nothing for {lost and lost[0]!r}:\n{process.printed_text}",
        hint="Python counts 0, an empty string and an empty list as false. Which line of yours asks "
        "whether an item is true?",
    )
    if waits:
        _expect_running(process)


def _has_printed(process, item):
    """Tell whether one of EMPTY was printed: more than there is between two words alone.

    Where one word follows the other at once, an empty string leaves no trace.
    """
    nothing, *parts = process.output.split("plum")[1:] or [""]
    part = (parts + [""] * len(EMPTY))[EMPTY.index(item)]
    return len(part) > len(nothing) or (item == nothing == "")
