"""The gaps of lesson 11; see 02_consume_messages.py for the form."""

from jobs_kit.grading import Gap, expect, setup_code

QUEUE, HELD = "hotqueue:letters", "hotqueue:letters:held"
BEFORE = setup_code("letters", db=1)
BLANK = """%%writefile scratch/careful_worker.py
import json, os, sys, time
import redis

rd = redis.Redis(host=os.environ["REDIS_HOST"], port=os.environ["REDIS_PORT"], db=1, socket_timeout=None)

while True:
    message = rd.blmove("hotqueue:letters", "hotqueue:letters:held", 0)
    print("begins", json.loads(message))
    time.sleep(float(sys.argv[1]))
    print("done", json.loads(message))
"""
SLOWLY = """import runpy, sys
sys.argv.append("5")
runpy.run_path("careful_worker.py", run_name="__main__")
"""

CAREFUL_WORKER = Gap(
    __file__,
    "careful_worker",
    "Acknowledge in the right place",
    beside={"slowly.py": SLOWLY},
    blank=BLANK,
    hint="If the worker dies at the line that you add, or at the line before it: is the letter safe?",
    wrong=(
        (
            "test_it_holds_the_letter_while_it_works",
            BLANK.replace(
                '    print("begins', f'    rd.lrem("{HELD}", 1, message)\n    print("begins'
            ),
        ),
        ("test_it_acknowledges", BLANK + f'    rd.lrem("{QUEUE}", 1, message)\n'),
    ),
)


def start_with_a_letter(submission):
    """Put a letter, start the worker with slow work; return its process once it has begun."""
    submission.redis.put(1, QUEUE, b'"to Cyd"')
    process = submission.start("slowly.py")
    submission.until(lambda: "begins to Cyd" in process.output or not process.running)
    return process


@CAREFUL_WORKER.check
def test_it_holds_the_letter_while_it_works(submission):
    """While it works, the letter is in the held list"""
    start_with_a_letter(submission)
    held = submission.redis.client(1).lrange(HELD, 0, -1)
    expect(
        held == [b'"to Cyd"'],
        "the letter is in the held list until the work is done",
        call="started the worker with one letter, and looked while it worked",
        got="the held list is empty",
        hint="What happens to the letter if the worker dies during the work?",
    )


@CAREFUL_WORKER.check
def test_it_acknowledges(submission):
    """After the work the letter is nowhere in Redis"""
    process = start_with_a_letter(submission)
    submission.settle(process)
    held = submission.redis.client(1).lrange(HELD, 0, -1)
    expect(
        process.running and not held,
        "the held list is empty when the worker waits again",
        call="started the worker with one letter, and waited until it was done",
        got="the worker has ended" if not process.running else "the letter is still held",
        hint="Which command removes a letter from a list, and from which list?",
    )


REQUEUE = Gap(
    __file__,
    "requeue",
    "Requeue what a dead worker held",
    before=BEFORE,
    blank="""def requeue():
    ...
""",
    hint="Which cell above moved one letter back, and how long does it have to be repeated?",
    wrong=(
        (
            "test_the_oldest_is_the_next",
            f'def requeue():\n    rd.lmove("{HELD}", "{QUEUE}", "RIGHT", "LEFT")\n',
        ),
        (
            "test_the_oldest_is_the_next",
            f'def requeue():\n    while rd.lmove("{HELD}", "{QUEUE}", "LEFT", "LEFT"):\n        pass\n',
        ),
    ),
)


@REQUEUE.check
def test_the_oldest_is_the_next(submission):
    """All letters are back on the queue, the oldest first"""
    client = submission.redis.client(1)
    client.rpush(HELD, "one", "two", "three")
    client.rpush(QUEUE, "four")
    call = submission.call("requeue", "requeue")
    queue = client.lrange(QUEUE, 0, -1)
    expect(
        queue == [b"one", b"two", b"three", b"four"] and not client.exists(HELD),
        "one, two, three, four on the queue, and nothing held",
        call=call,
        got=", ".join(text.decode() for text in queue),
        hint="Which letter must go back first, so that the oldest ends up at the head?",
    )


PAY = Gap(
    __file__,
    "pay",
    "Make a payment idempotent",
    before=BEFORE,
    after="""
def pays(*payments):
    for jid, amount in payments:
        pay(jid, amount)
    return int(rd.get("paid") or 0)
""",
    blank="""def pay(jid, amount):
    rd.incrby("paid", amount)
""",
    hint="What remembers in Redis that this job was paid, and what does sadd return the second time?",
    wrong=(
        (
            "test_the_same_job_is_paid_once",
            'def pay(jid, amount):\n    rd.sadd("paid jobs", jid)\n    rd.incrby("paid", amount)\n',
        ),
        (
            "test_other_jobs_are_paid",
            'def pay(jid, amount):\n    rd.set("paid", amount)\n',
        ),
    ),
)


@PAY.check
def test_the_same_job_is_paid_once(submission):
    """A job that was paid is not paid again"""
    call = submission.call("pay", "pays", ["a", 10], ["a", 10])
    expect(
        call.value == 10,
        "10 in all",
        call=call,
        hint="Which question do you ask before you add the amount?",
    )


@PAY.check
def test_other_jobs_are_paid(submission):
    """Each other job is paid"""
    call = submission.call("pay", "pays", ["a", 10], ["b", 5], ["c", 1])
    expect(call.value == 16, "16 in all", call=call, hint="Is the amount added, for each new job?")
