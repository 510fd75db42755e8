"""The gaps of lesson 03; see 02_consume_messages.py for the form."""

import json

from jobs_kit.grading import Gap, expect, setup_code

QUEUE = (1, "hotqueue:safe")
BEFORE = setup_code("safe")

SEND_PHOTO = Gap(
    __file__,
    "send_photo",
    "Send a set in a message",
    before=BEFORE,
    after="""
def sent(number, *sizes):
    send_photo(number, set(sizes))
""",
    blank="""def send_photo(number, sizes):
    ...
""",
    hint="Which type that JSON knows can hold the sizes, and how do you turn a set into it?",
    wrong=(
        (
            "test_it_is_one_message",
            'def send_photo(number, sizes):\n    q.put({"photo": number, "sizes": sizes})\n',
        ),
        (
            "test_it_is_one_message",
            "def send_photo(number, sizes):\n    for size in sizes:\n"
            '        q.put({"photo": number, "sizes": size})\n',
        ),
    ),
)


@SEND_PHOTO.check
def test_it_is_one_message(submission):
    """One message carries the number and both sizes"""
    call = submission.call("send_photo", "sent", 7, 100, 200)
    messages = [json.loads(message) for message in submission.redis.queues().get(QUEUE, [])]
    found = messages[0] if len(messages) == 1 and isinstance(messages[0], dict) else {}
    sizes = found.get("sizes")
    expect(
        found.get("photo") == 7 and isinstance(sizes, list) and sorted(sizes) == [100, 200],
        '{"photo": 7, "sizes": [100, 200]}, the sizes in any order',
        call=call,
        got=call.outcome_text
        if call.error
        else " ".join(map(json.dumps, messages)) or "no message",
        hint="JSON has no sets. What does list() make of one?",
    )


STOP_CONSUMERS = Gap(
    __file__,
    "stop_consumers",
    "Stop consumers with messages",
    before=BEFORE,
    blank="""def stop_consumers(count):
    ...
""",
    hint="Which message ends a loop over consume(), and how many consumers does one message reach?",
    wrong=(
        ("test_each_consumer_gets_a_stop_sign", "def stop_consumers(count):\n    q.put(None)\n"),
        ("test_each_consumer_gets_a_stop_sign", "def stop_consumers(count):\n    q.clear()\n"),
    ),
)


@STOP_CONSUMERS.check
def test_each_consumer_gets_a_stop_sign(submission):
    """There is one stop sign for each consumer, behind what is waiting"""
    submission.redis.put(*QUEUE, b'"last"')
    call = submission.call("stop_consumers", "stop_consumers", 3)
    messages = submission.redis.queues().get(QUEUE, [])
    expect(
        messages == [b'"last"', b"null", b"null", b"null"],
        '"last", null, null, null',
        call=call,
        got=", ".join(message.decode() for message in messages) or "no message",
        hint="Each message goes to one consumer. How many messages do three of them need?",
    )
