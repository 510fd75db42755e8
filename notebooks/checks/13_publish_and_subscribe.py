"""The gaps of lesson 13; see 02_consume_messages.py for the form."""

import json

from jobs_kit.grading import Gap, expect, setup_code

BEFORE = setup_code("trains")

ANNOUNCE = Gap(
    __file__,
    "announce",
    "Publish an announcement and read it",
    before=BEFORE,
    after="""
def reads(kind, data):
    return number_in({"type": kind, "pattern": None, "channel": b"news", "data": data})
""",
    blank="""def announce(number):
    ...

def number_in(message):
    ...
""",
    hint="A message is text, so what makes text of a dictionary, and a dictionary of text?",
    wrong=(
        (
            "test_a_confirmation_has_no_number",
            """def announce(number):
    return rd.publish("news", json.dumps({"train": number}))

def number_in(message):
    return json.loads(message["data"])["train"]
""",
        ),
        (
            "test_it_reads_the_number",
            """def announce(number):
    return rd.publish("news", json.dumps({"train": number}))

def number_in(message):
    return message["data"] if message["type"] == "message" else None
""",
        ),
        (
            "test_it_publishes_json",
            """def announce(number):
    return rd.publish("news", f"train {number} leaves")

def number_in(message):
    return json.loads(message["data"])["train"] if message["type"] == "message" else None
""",
        ),
    ),
)


@ANNOUNCE.check
def test_it_publishes_json(submission):
    """announce(3) publishes {"train": 3} on the channel news"""
    call = submission.call("announce", "announce", 3)
    sent = [one.arguments for one in submission.redis.commands if one.name == "PUBLISH"]
    texts = [text.decode(errors="replace") for _, text in sent]
    expect(
        len(sent) == 1 and sent[0][0] == b"news" and _as_json(texts[0]) == {"train": 3},
        '{"train": 3}, published once on news',
        call=call,
        got="; ".join(texts) or "nothing was published",
        hint="What does rd.publish() need: which channel, and which text?",
    )
    expect(
        call.value == 0, "0: there is no subscriber", call=call, hint="What does publish() return?"
    )


def _as_json(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


@ANNOUNCE.check
def test_it_reads_the_number(submission):
    """number_in() returns the number of an announcement"""
    call = submission.call("announce", "reads", "message", b'{"train": 3}')
    expect(call.value == 3, "3", call=call, hint='What is in message["data"], and under which key?')


@ANNOUNCE.check
def test_a_confirmation_has_no_number(submission):
    """For a confirmation it returns None"""
    call = submission.call("announce", "reads", "subscribe", 1)
    expect(
        not call.error and call.value is None,
        "None",
        call=call,
        hint="Which field of a message tells an announcement from a confirmation?",
    )


WAIT_FOR = Gap(
    __file__,
    "wait_for",
    "Subscribe, look, wait",
    before=BEFORE,
    after="""
def waits(jid):
    wait_for(jid)
    return "returned"
""",
    beside={"waiter.py": "import wait_for\n\nwait_for.wait_for('abc')\nprint('returned')\n"},
    blank="""def wait_for(jid):
    ...
""",
    hint="Three steps, in this order. Which call of the cells above is the first one?",
    wrong=(
        (
            "test_it_subscribes_before_it_looks",
            """def wait_for(jid):
    if rd.hget("job." + jid, "status") == b"complete":
        return
    ear = rd.pubsub(ignore_subscribe_messages=True)
    ear.subscribe("done")
    for message in ear.listen():
        if message["data"].decode() == jid:
            return
""",
        ),
        (
            "test_a_job_that_is_complete_needs_no_news",
            """def wait_for(jid):
    ear = rd.pubsub(ignore_subscribe_messages=True)
    ear.subscribe("done")
    for message in ear.listen():
        if message["data"].decode() == jid:
            return
""",
        ),
        (
            "test_it_waits_for_the_news_of_this_job",
            """def wait_for(jid):
    ear = rd.pubsub(ignore_subscribe_messages=True)
    ear.subscribe("done")
    if rd.hget("job." + jid, "status") == b"complete":
        return
    for message in ear.listen():
        return
""",
        ),
    ),
)


@WAIT_FOR.check
def test_it_waits_for_the_news_of_this_job(submission):
    """It waits until the id of this job is published"""
    client = submission.redis.client(0)
    client.hset("job.abc", "status", "in progress")
    process = submission.start("waiter.py")
    submission.until(lambda: client.pubsub_numsub("done")[0][1] or not process.running)
    client.publish("done", "another job")
    submission.until(lambda: not process.running, seconds=0.5)
    expect(
        process.running,
        "the news of another job doesn't end the waiting",
        call="wait_for('abc'), while 'another job' is published on done",
        got=process.output.strip()[-300:] or "it ended",
        hint="What does your loop compare with the id?",
    )
    client.publish("done", "abc")
    submission.until(lambda: not process.running)
    expect(
        process.output.strip() == "returned",
        "it returns when 'abc' is published",
        call="wait_for('abc'), while 'abc' is published on done",
        got=process.output.strip()[-300:] or "it still waits",
        hint="Redis returns bytes. Does your comparison know that?",
    )


@WAIT_FOR.check
def test_a_job_that_is_complete_needs_no_news(submission):
    """For a job that is complete already it returns at once"""
    submission.redis.client(0).hset("job.abc", "status", "complete")
    process = submission.start("waiter.py")
    submission.until(lambda: not process.running, seconds=3)
    expect(
        process.output.strip() == "returned",
        "it returns without any news",
        call="wait_for('abc'), and the job is complete",
        got=process.output.strip()[-300:] or "it waits for news",
        hint="Where does the status of a job stay after the news is gone?",
    )


@WAIT_FOR.check
def test_it_subscribes_before_it_looks(submission):
    """It subscribes before it looks at the status"""
    submission.redis.client(0).hset("job.abc", "status", "complete")
    call = submission.call("wait_for", "waits", "abc")
    names = [one.name for one in submission.redis.commands if one.name in ("SUBSCRIBE", "HGET")]
    expect(
        names[:2] == ["SUBSCRIBE", "HGET"],
        "first SUBSCRIBE, then HGET",
        call=call,
        got=", then ".join(names) or "neither of the two",
        hint="The job may end between the two. In which order can you not miss it?",
    )
