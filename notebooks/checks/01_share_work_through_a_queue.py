"""The gaps of lesson 01; see 02_consume_messages.py for the form."""

import json

from jobs_kit.grading import Gap, expect, setup_code

QUEUE = (1, "hotqueue:photos")
BEFORE = setup_code("photos", name="photos")

ORDER = Gap(
    __file__,
    "order",
    "Put one task for each photo",
    before=BEFORE,
    blank="""def order(numbers):
    ...
""",
    hint='What does photos.put({"shrink": number}) belong in, to happen for each number?',
    wrong=(
        (
            "test_each_photo_is_one_task",
            'def order(numbers):\n    photos.put({"shrink": numbers})\n',
        ),
        (
            "test_it_returns_how_many_wait",
            'def order(numbers):\n    for n in numbers:\n        photos.put({"shrink": n})\n',
        ),
    ),
)


def tasks(submission):
    """Return the tasks that are waiting, as text."""
    return [message.decode() for message in submission.redis.queues().get(QUEUE, [])]


@ORDER.check
def test_each_photo_is_one_task(submission):
    """Each photo is one task, in order"""
    call = submission.call("order", "order", [4, 7])
    expect(
        tasks(submission) == ['{"shrink": 4}', '{"shrink": 7}'],
        '{"shrink": 4} and {"shrink": 7}, two messages',
        call=call,
        got=" ".join(tasks(submission)) or "no message",
        hint="How often is put() called for two photos, and with what?",
    )


@ORDER.check
def test_it_returns_how_many_wait(submission):
    """It returns how many tasks are waiting then"""
    submission.redis.put(*QUEUE, b'{"shrink": 1}')
    call = submission.call("order", "order", [4, 7])
    expect(
        call.value == 3,
        "3: one was waiting already",
        call=call,
        hint="What tells you how many messages are waiting?",
    )


ALBUMS_API = Gap(
    __file__,
    "albums_api",
    "Accept a whole album",
    before=BEFORE
    + """from flask import Flask, request
""",
    after="""
def posted(body):
    response = albums.test_client().post("/albums", json=body)
    return [response.status_code, response.get_json()]
""",
    blank="""albums = Flask("albums")

@albums.post("/albums")
def albums_api():
    ...
""",
    hint="request.get_json() returns a dictionary. What is under its key photos?",
    wrong=(
        (
            "test_it_answers_202",
            'albums = Flask("albums")\n@albums.post("/albums")\ndef albums_api():\n'
            '    for n in request.get_json()["photos"]:\n        photos.put({"shrink": n})\n'
            '    return {"accepted": True}\n',
        ),
        (
            "test_each_photo_of_the_album_is_one_task",
            'albums = Flask("albums")\n@albums.post("/albums")\ndef albums_api():\n    photos.put(request.get_json())\n'
            '    return {"accepted": len(request.get_json()["photos"])}, 202\n',
        ),
    ),
)


@ALBUMS_API.check
def test_it_answers_202(submission):
    """It answers 202 and how many photos it accepted"""
    call = submission.call("albums_api", "posted", {"photos": [1, 2, 3]})
    expect(
        call.value == [202, {"accepted": 3}],
        'the code 202 and {"accepted": 3}',
        call=call,
        hint="A view returns the body first, then the code: return {...}, 202",
    )


@ALBUMS_API.check
def test_each_photo_of_the_album_is_one_task(submission):
    """Each photo of the album is one task"""
    call = submission.call("albums_api", "posted", {"photos": [1, 2, 3]})
    expect(
        [json.loads(task) for task in tasks(submission)] == [{"shrink": n} for n in (1, 2, 3)],
        '{"shrink": 1}, {"shrink": 2} and {"shrink": 3} on the queue',
        call=call,
        got=" ".join(tasks(submission)) or "no message",
        hint="What does a consumer of this queue expect in each message?",
    )
