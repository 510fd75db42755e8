"""The gaps of lesson 04; see 02_consume_messages.py for the form."""

from jobs_kit.grading import Gap, expect, hint_for_not_started, setup_code

SHOUT = Gap(
    __file__,
    "shout",
    "Write a worker with a time-out",
    before=setup_code("letters"),
    blank="""def shout(item):
    ...
""",
    hint="Which line above the function turned do_work into a worker that stops by itself?",
    wrong=(
        ("test_it_prints_in_capitals", "def shout(item):\n    print(item.upper())\n"),
        ("test_it_returns_when_idle", "@q.worker\ndef shout(item):\n    print(item.upper())\n"),
        (
            "test_it_prints_in_capitals",
            "@q.worker(timeout=1)\ndef shout(item):\n    print(item)\n",
        ),
    ),
)


@SHOUT.check
def test_it_prints_in_capitals(submission):
    """shout() prints both waiting items in capital letters"""
    submission.redis.put(1, "hotqueue:letters", b'"queue"', b'"worker"')
    call = submission.call("shout", "shout", skip_waits=True)
    expect(
        call.process.output.split() == ["QUEUE", "WORKER"],
        "QUEUE and WORKER, a line each",
        call=call,
        got=call.process.output.strip() or call.outcome_text,
        hint="Is the decorator above the function? It passes each item to shout().",
    )


@SHOUT.check
def test_it_returns_when_idle(submission):
    """It returns when no message comes"""
    call = submission.call("shout", "shout", skip_waits=True)
    expect(
        call.process.events("value"),
        "it waits a second, and returns",
        call=call,
        hint="Which argument of the decorator limits the waiting?",
    )


REVERSE = Gap(
    __file__,
    "reverse",
    "Complete a worker program",
    blank="""%%writefile scratch/reverse.py
import json, os
from hotqueue import HotQueue

q = HotQueue("reverse", host=os.environ["REDIS_HOST"], port=os.environ["REDIS_PORT"], db=1, serializer=json, socket_timeout=None)

def reverse(item):
    print(item[::-1])
""",
    hint="Compare it with scratch/worker.py: one line above the function, two lines below it.",
    wrong=(
        (
            "test_it_prints_each_item_backwards",
            """%%writefile scratch/reverse.py
import json, os
from hotqueue import HotQueue

q = HotQueue("reverse", host=os.environ["REDIS_HOST"], port=os.environ["REDIS_PORT"], db=1, serializer=json, socket_timeout=None)

@q.worker
def reverse(item):
    print(item[::-1])
""",
        ),
        (
            "test_it_does_not_end",
            """%%writefile scratch/reverse.py
import json, os
from hotqueue import HotQueue

q = HotQueue("reverse", host=os.environ["REDIS_HOST"], port=os.environ["REDIS_PORT"], db=1, serializer=json, socket_timeout=None)

while len(q):
    print(q.get()[::-1])
""",
        ),
    ),
)


@REVERSE.check
def test_it_prints_each_item_backwards(submission):
    """python reverse.py prints each item backwards"""
    submission.redis.put(1, "hotqueue:reverse", b'"abc"', b'"xyz"')
    process = submission.start("reverse.py")
    submission.settle(process)
    expect(
        process.output.split() == ["cba", "zyx"],
        "cba and zyx, a line each",
        call="python reverse.py, with two items on the queue",
        got=process.output.strip() or "it printed nothing",
        hint=hint_for_not_started(submission.source, "reverse.py"),
    )


@REVERSE.check
def test_it_does_not_end(submission):
    """The program waits for the next item, and does not end"""
    process = submission.start("reverse.py")
    submission.settle(process)
    expect(
        process.running,
        "it waits at its queue",
        call="python reverse.py, with nothing on the queue",
        got="the program ended",
        hint="Which decorator waits for messages, and which line calls the function?",
    )
