"""The gaps of lesson 02.

Each Gap is followed by its checks. `blank` is the cell as the lesson has it, `before` what earlier
cells have defined. A check calls the reader's function with `submission.call(module, function)`
and looks at what happened in `submission.redis`.
"""

from jobs_kit.grading import Gap, expect, setup_code

BEFORE = setup_code("some_queue")
QUEUE = (1, "hotqueue:some_queue")

PUT_COLOURS = Gap(
    __file__,
    "put_colours",
    "Put three strings on the queue",
    before=BEFORE,
    blank="""def put_colours():
    ...
""",
    hint="Which method of q did the cell above use to put two, three and four?",
    wrong=(
        ("test_the_three_strings_are_on_the_queue", 'def put_colours():\n    q.put("red")\n'),
        (
            "test_the_three_strings_are_on_the_queue",
            'def put_colours():\n    q.put(["red", "green", "blue"])\n',
        ),
    ),
)


@PUT_COLOURS.check
def test_the_three_strings_are_on_the_queue(submission):
    """The three strings are on the queue, in this order"""
    call = submission.call("put_colours", "put_colours")
    messages = submission.redis.queues().get(QUEUE, [])
    expect(
        messages == [b'"red"', b'"green"', b'"blue"'],
        '"red", "green" and "blue", three messages',
        call=call,
        got=", ".join(message.decode() for message in messages) or "no message",
        hint="How many messages do you need, and in which order?",
    )


TAKE_ALL = Gap(
    __file__,
    "take_all",
    "Take all messages that are waiting",
    before=BEFORE,
    blank="""def take_all():
    messages = []
    ...
    return messages
""",
    hint="Which loop takes one message after another, and ends after a second without one?",
    wrong=(
        (
            "test_it_returns_the_messages",
            "def take_all():\n    messages = []\n    messages.append(q.get())\n    return messages\n",
        ),
        (
            "test_it_waits_for_a_late_message",
            "def take_all():\n    messages = []\n    while len(q):\n"
            "        messages.append(q.get())\n    return messages\n",
        ),
    ),
)


@TAKE_ALL.check
def test_it_returns_the_messages(submission):
    """take_all() returns the messages in their order, and leaves the queue empty"""
    submission.redis.put(*QUEUE, b'"one"', b'"two"', b'"three"')
    call = submission.call("take_all", "take_all", skip_waits=True)
    expect(
        call.value == ["one", "two", "three"],
        '["one", "two", "three"]',
        call=call,
        hint="What does the loop do with each message before it asks for the next one?",
    )


@TAKE_ALL.check
def test_it_waits_for_a_late_message(submission):
    """It waits for a message that comes a moment later"""
    call = submission.call("take_all", "take_all", skip_waits=True)
    waits = [pop.time_out for pop in submission.redis.pops() if pop.time_out]
    expect(
        waits,
        "it waits up to a second at the empty queue",
        call=call,
        got="it asked the empty queue and gave up at once",
        hint="Which argument of consume() lets the loop wait, and then end?",
    )
