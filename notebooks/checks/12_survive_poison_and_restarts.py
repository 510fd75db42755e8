"""The gaps of lesson 12; see 02_consume_messages.py for the form."""

import json

from jobs_kit.grading import Gap, expect, setup_code

BEAT = Gap(
    __file__,
    "beat",
    "Write heartbeat and lease",
    before=setup_code("parcels", db=1),
    after="""
def beats(name, lease, times):
    for _ in range(times):
        beat(name, lease)
    return rd.pttl(f"alive:{name}")

def beats_again(name, lease):
    beat(name, lease)
    rd.delete(f"alive:{name}")  # the lease has run out
    beat(name, lease)
    return is_dead(name)
""",
    blank="""def beat(name, lease):
    ...

def is_dead(name):
    ...
""",
    hint="Which call above made a key that expires? px wants milliseconds.",
    wrong=(
        (
            "test_a_lease_can_begin_again",
            """def beat(name, lease):
    if not rd.pexpire(f"alive:{name}", int(lease * 1000)):
        rd.set(f"alive:{name}", "yes", px=int(lease * 1000), xx=True)

def is_dead(name):
    return not rd.exists(f"alive:{name}")
""",
        ),
        (
            "test_a_heartbeat_gives_a_lease",
            """def beat(name, lease):
    rd.set(f"alive:{name}", "yes")

def is_dead(name):
    return not rd.exists(f"alive:{name}")
""",
        ),
        (
            "test_without_a_lease_it_is_dead",
            """def beat(name, lease):
    rd.set(f"alive:{name}", "yes", px=int(lease * 1000))

def is_dead(name):
    return bool(rd.exists(f"alive:{name}"))
""",
        ),
    ),
)


@BEAT.check
def test_a_heartbeat_gives_a_lease(submission):
    """beat() gives a lease of so many seconds, and renews it"""
    call = submission.call("beat", "beats", "worker 1", 2.5, 2)
    expect(
        isinstance(call.value, int) and 1500 < call.value <= 2500,
        "a key that expires in 2500 milliseconds at most",
        call=call,
        hint="-1 means that a key never expires, -2 that there is none. What is px= counted in?",
    )


@BEAT.check
def test_a_lease_can_begin_again(submission):
    """A worker that was silent for too long gets a lease again"""
    call = submission.call("beat", "beats_again", "worker 1", 2.5)
    expect(
        call.value is False,
        "it is alive again after the next beat",
        call=call,
        hint="What does your beat do when the key has expired already?",
    )


@BEAT.check
def test_without_a_lease_it_is_dead(submission):
    """is_dead() is True without a lease, and False with one"""
    submission.redis.client(1).set("alive:worker 2", "yes")
    for name, expected in [("worker 1", True), ("worker 2", False)]:
        call = submission.call("beat", "is_dead", name)
        expect(
            call.value is expected, str(expected), call=call, hint="What does rd.exists() return?"
        )


REVIVE = Gap(
    __file__,
    "revive",
    "Put dead letters back on the queue",
    before=setup_code("parcels", db=1)
    + """
class Queue:
    key, redis = "hotqueue:parcels", rd

    def dead_letters(self):
        return [json.loads(letter) for letter in rd.lrange(self.key + ":dead", 0, -1)]

    def put(self, *messages):
        rd.rpush(self.key, *map(json.dumps, messages))
""",
    after="""
def revives():
    return revive(Queue())
""",
    blank="""def revive(queue):
    ...
""",
    hint="A letter's message is JSON text. What does put() want?",
    wrong=(
        (
            "test_the_messages_are_on_the_queue",
            """def revive(queue):
    letters = queue.dead_letters()
    for letter in letters:
        queue.put(letter["message"])
    queue.redis.delete(queue.key + ":dead")
    return len(letters)
""",
        ),
        (
            "test_no_letter_is_left",
            """def revive(queue):
    letters = queue.dead_letters()
    for letter in letters:
        queue.put(json.loads(letter["message"]))
    return len(letters)
""",
        ),
    ),
)
LETTERS = [
    json.dumps({"message": '"poison"', "reason": "3 workers died while they held it"}),
    json.dumps({"message": '{"photo": 7}', "reason": "it cannot be read"}),
]


def revived(submission):
    """Call revive() with two dead letters; return the call."""
    submission.redis.client(1).rpush("hotqueue:parcels:dead", *LETTERS)
    return submission.call("revive", "revives")


@REVIVE.check
def test_the_messages_are_on_the_queue(submission):
    """Both messages are on the queue again, as they were"""
    call = revived(submission)
    messages = submission.redis.client(1).lrange("hotqueue:parcels", 0, -1)
    expect(
        messages == [b'"poison"', b'{"photo": 7}'],
        '"poison" and {"photo": 7}',
        call=call,
        got=", ".join(message.decode() for message in messages) or "no message",
        hint='Print letter["message"]: how many quotes has it? What does put() add?',
    )


@REVIVE.check
def test_no_letter_is_left(submission):
    """No dead letter is left, and it returns how many there were"""
    call = revived(submission)
    left = submission.redis.client(1).llen("hotqueue:parcels:dead")
    expect(
        call.value == 2 and not left,
        "2, and an empty list of dead letters",
        call=call,
        got=f"{call.outcome_text}; {left} letters are left",
        hint="Which line removes the letters, and which returns their number?",
    )
