"""echo.py, started as a program, prints each message of the queue `echo` once, in order."""

from jobs_kit.grading import Exercise, expect, points
from jobs_kit.grading.student import ending, printed

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
    expect(
        process.running,
        "the program waits at the empty queue, and does not end",
        process.shown,
        ending(process),
        "Defining a worker does not start it: which line calls it?"
        if process.exit_code == 0
        else None,
    )
    return process


def queue_key(student, process):
    """Return the key at which the program waits."""
    student.redis.update()
    keys = [(one.db, key) for one in student.redis.takes() for key in one.keys]
    expect(keys, "the program asks a queue for messages", process.shown, ending(process))
    return keys[-1]


@points(1)
def test_it_waits_at_the_empty_queue(student):
    """Started as a program, it stays alive while its queue is empty"""
    start(student)


@points(1, after="test_it_waits_at_the_empty_queue")
def test_its_queue_is_named_echo(student):
    """Its queue is named echo"""
    process = start(student)
    _, key = queue_key(student, process)
    expect(
        key.startswith("hotqueue:") and key.endswith("echo"),
        "it waits at the queue `echo`, which Redis knows as hotqueue:echo",
        process.shown,
        f"it waits at {key}",
        "What is the first argument of HotQueue?",
    )


@points(2, after="test_its_queue_is_named_echo")
def test_it_prints_each_message_once_in_order(student, note):
    """It prints each message once, in the order in which they came"""
    process = start(student)
    db, key = queue_key(student, process)
    words = ["apple", "banana", "cherry", "date"]
    student.redis.put(db, key, *(student.encode(process, word) for word in words))
    student.settle(process)
    student.until(lambda: "date" in process.output or not process.running, seconds=0.3)
    said = [word for line in process.output.splitlines() for word in words if word in line]
    expect(
        said == words,
        "it prints these four, each once, in this order",
        f"put {', '.join(words)} on the queue",
        f"it printed\n{printed(process)}",
        "What does your function do with its argument?",
    )
    expect(process.running, "it waits for the next message", process.shown, ending(process))
    if student.queue_of(process)["socket_timeout"] is not None:
        note("without socket_timeout=None this program dies after an idle minute (lesson 02)")
