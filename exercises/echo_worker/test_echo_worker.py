"""echo.py, started as a program, prints each message of the queue `echo` once, in order."""

import re
from collections import Counter

from jobs_kit.grading import Exercise, expect, points
from jobs_kit.grading.programs.explanations import ending, hint_for, printed
from jobs_kit.grading.programs.recursion import expect_flat
from jobs_kit.grading.text import short

EXERCISE = Exercise(
    __file__,
    number=2,
    lesson="03",
    title="Write a worker that echoes",
    files=("echo.py",),
    changes={"echo.py": ("echo", "q")},
    is_attempted=lambda answer: answer.has_code(),
    hints=(
        "Which line of echo.py makes the queue, and which line starts the worker?",
        "A program has three parts here: the queue, the decorated function, a call of it.",
        "@q.worker above def echo(item), print(item) inside, and echo() as the last line.",
    ),
)


def start(student):
    """Start echo.py and wait until it waits at its queue; return the process."""
    process = student.start("echo.py")
    student.settle(process)
    student.redis.update()
    hint = "Defining a worker does not start it: which line calls it? And is it reached?"
    if process.told("hands"):
        hint = "A daemon thread ends with its program. What does the program itself wait for?"
    elif student.redis.asked():
        hint = "It asked its queue, which was empty, and ended. Which line lets it end then?"
    _expect_running(process, hint)
    return process


def queue_key(student, process):
    """Return the database and the key at which the program waits."""
    student.redis.update()
    keys = [(one.db, key) for one in student.redis.takes() for key in one.keys]
    keys = keys or list(student.redis.asked())
    expect(keys, "the program asks a queue for messages", process.shown, ending(process))
    return keys[-1]


def feed(student, process, *items, until):
    """Put items on its queue; wait until the condition is true or nothing more happens."""
    db, key = queue_key(student, process)
    student.redis.put(db, key, *(student.encode(process, item) for item in items))
    student.until(lambda: until() or student.has_settled(process))
    student.until(lambda: until() or not process.running, seconds=0.3)  # printed by a thread


def _expect_running(process, hint=None, before=""):
    error = (process.told("error") or [None])[-1]
    expect(
        process.running,
        "the program waits for the next message, and does not end",
        process.shown,
        before + ending(process),
        hint_for(error) if error else hint,
    )


@points(1)
def test_it_waits_at_the_empty_queue(student):
    """Started as a program, it stays alive while its queue is empty"""
    process = start(student)
    student.redis.update()
    asked = student.redis.takes()
    if any(one.time_out for one in asked):
        student.let_time_pass(process)
        student.until(
            lambda: (
                student.redis.update()
                or len(student.redis.takes()) > len(asked)
                or not process.running
            )
        )
    _expect_running(
        process, "What told it how long to wait?", "when it had waited in vain for a while, "
    )
    said, often = (Counter(process.output.splitlines()).most_common(1) or [("", 0)])[0]
    expect(
        often < 3,
        "as long as there is no message, it prints none",
        process.shown,
        f"the queue is empty, and it prints {short(said)!r} again and again",
        "What does get() return when the queue is empty, and which call waits instead?",
    )


@points(1, after="test_it_waits_at_the_empty_queue")
def test_its_queue_is_named_echo(student):
    """Its queue is named echo"""
    process = start(student)
    _, key = queue_key(student, process)
    expect(
        # on the Redis of a class a prefix stands in front
        key == "hotqueue:echo" or re.fullmatch(r"hotqueue:.+\.echo", key),
        "it waits at the queue `echo`, which Redis knows as hotqueue:echo",
        process.shown,
        f"it waits at {key}",
        "What is the first argument of HotQueue?",
    )


@points(2, after="test_its_queue_is_named_echo")
def test_it_prints_each_message_once_in_order(student, note):
    """It prints each message once, in the order in which they came"""
    process = start(student)
    words, before = ["apple", "banana", "cherry", "date"], len(process.output)

    def said():
        return re.findall("|".join(words), process.output)

    def hint():
        return _hint(process, said(), words, process.output[before:], student)

    feed(student, process, *words, until=lambda: len(said()) > len(words) or said() == words)
    expect(
        said() == words,
        "it prints these four, each once, in this order",
        f"put {', '.join(words)} on the queue",
        f"it printed\n{printed(process)}",
        hint(),
    )
    settled = student.until(lambda: student.has_settled(process) or said() != words)
    if not settled:
        raise student.timed_out(process, "it comes back to the queue for the next message")
    expect(
        said() == words,
        "it prints each message once",
        f"put {', '.join(words)} on the queue",
        f"it printed\n{printed(process)}",
        hint(),
    )
    _expect_running(process, "What happens after the last message?")
    expect_flat(student, process)
    queue = student.queue_of(process)
    if queue["serializer"] is None:
        note("the queue has no serializer: each item is bytes, and is printed as b'…'")
    if queue["socket_timeout"] is not None:
        note("without socket_timeout=None this program dies after an idle minute (lesson 02)")


def _hint(process, said, words, output, student):
    """Return a question that leads from the output, with these messages in it, to its cause."""
    error = (process.told("error") or [None])[-1]
    if error and "argument" in error.get("message", ""):
        return "The worker hands the item in by itself. What else is handed in here, or asked for?"
    if error:
        return hint_for(error) or "What was handed to the line that raised, and what can it take?"
    if "was never awaited" in output:
        return "A call of an `async def` does nothing until somebody awaits it. Does HotQueue?"
    if len(said) > len(words):
        return "How many lines print a message, and does one of them put it on the queue again?"
    if not said and output.strip():
        return "For each message something is printed. Where does the message stand in print(…)?"
    if not said:
        return "The messages were taken. Which line prints them, and is it reached?"
    if len(said) < len(words) and not student.redis.waiting_messages():
        return "How many lines take a message off the queue, and does each of them print it?"
    if len(said) < len(words):
        return "Which line takes the next message, when one is done?"
    return "At which end of the list does put() add a message, and from which one is it taken?"


@points(1, after="test_it_prints_each_message_once_in_order")
def test_it_prints_items_of_every_kind(student):
    """It prints an item of any kind: a number, a list"""
    process = start(student)

    def said():
        return re.findall(r"(?<!\d)4711(?!\d)|egg", process.output)

    feed(student, process, 4711, ["egg", 7], until=lambda: said() == ["4711", "egg"])
    error = (process.told("error") or [None])[-1]
    expect(
        said() == ["4711", "egg"],
        "it prints the number 4711, and then the list with the egg",
        'put 4711 and ["egg", 7] on the queue',
        f"it printed\n{printed(process)}",
        "Of which type is the item here, and what does this line need?"
        if error
        else "What does your program do with an item that is no text? Is an exception caught, and "
        "kept from being seen?",
    )
    _expect_running(process)
