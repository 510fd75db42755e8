"""Two shells share a queue; Redis shows what they did and what they are doing now."""

from jobs_kit.grading import Exercise, NotAttemptedError, expect, observation_of, points

HOW_TO_WATCH = (
    "run the first cell of the exercise's page, or `jobs-kit check two_shells --watch` in a third "
    "terminal"
)


def is_attempted(source):
    """Return True if anything was done; raise NotAttemptedError with the next step if not."""
    observation = observation_of(source)
    if not observation.nothing:
        return True
    if observation.problem:
        raise NotAttemptedError(f"nothing to judge yet: {observation.problem}")
    raise NotAttemptedError(
        f"nothing to judge yet: no message is on {observation.place} and no client waits there; "
        + ("the kit is watching, so go on" if observation.is_watched else HOW_TO_WATCH)
    )


EXERCISE = Exercise(
    __file__,
    number=10,
    lesson="consume_messages",
    title="Let two shells talk through a queue",
    files=(),
    is_attempted=is_attempted,
    hints=(
        "Which of the two shells shows a prompt, and which one is waiting? "
        "Compare with the steps on the exercise's page.",
        "Put three strings in the producer while the consumer does nothing. Then start a loop in "
        "the consumer that does not end, and put more in the producer.",
        'In the producer: q.put("one", "two", "three"). In the consumer: '
        '`for message in q.consume(): print(message)`. In the producer again: q.put("four").',
    ),
)


def named(messages):
    """Return messages as text."""
    return ", ".join(messages) or "none"


@points(1)
def test_messages_waited(observation, note):
    """At least three messages waited on the queue at once, before a consumer took one"""
    seen = observation.seen
    expect(
        observation.was_watched,
        "three or more messages wait on the queue at once",
        call="looked for a recording of your work",
        got="there is none: the kit was not watching while you worked",
        hint=f"Start to watch first: {HOW_TO_WATCH}. Then do the steps again.",
    )
    expect(
        observation.is_enough,
        "three or more messages wait on the queue at once, before a consumer takes one",
        call="watched the queue",
        got=f"at most {seen['most']} waited at once: {named(seen['waited'])}"
        if seen["most"]
        else "none waited: each was taken the moment it arrived",
        hint="What was len(q) in the producer when you started the loop in the consumer?",
    )
    if seen["asked_length"] == 0:
        note("you never looked at len(q): what is it before the loop starts, and what after?")


@points(1)
def test_the_queue_is_drained(observation, note):
    """The queue is empty now: every message has been taken"""
    if observation.by_record:
        note("this is not the Redis that you worked on; its last recorded state counts")
    expect(
        observation.problem is None or observation.by_record,
        "your Redis answers",
        call="looked for your Redis",
        got=observation.problem,
        hint="Is the program that started your Redis, such as JupyterLab, still running?",
    )
    elsewhere = observation.waits_elsewhere()
    expect(
        observation.is_drained,
        "no message is waiting on the queue",
        call=f"looked at {observation.place}",
        got=f"{observation.length} on it: {named(observation.messages)}"
        + (f"; a client waits, but at {' and '.join(elsewhere)}" if elsewhere else ""),
        hint="Compare the lines `q = …` of the two shells: are the name and the db the same?"
        if elsewhere
        else "Look at the consumer: is its loop still running?",
    )


@points(2, after=("test_messages_waited", "test_the_queue_is_drained"))
def test_they_were_taken_in_order(observation):
    """The other shell took the messages in the order in which they were put"""
    seen = observation.seen
    what = f"watched what happened to {named(seen['waited'])}"
    expect(
        seen["all_taken"] or not seen["removed"],
        "each message is taken by a consumer",
        call=what,
        got=f"{seen['removed']} of them were removed and never taken",
        hint="Which line empties the queue without giving its messages to a consumer?",
    )
    got = f"these were taken: {named(seen['taken'])}"
    hint = "Does the consumer read the queue that the producer writes to?"
    expect(seen["all_taken"], "each message that waited is taken", call=what, got=got, hint=hint)
    expect(
        seen["in_order"],
        "the message that has waited longest is taken first",
        call=what,
        got=f"they were taken in this order: {named(seen['taken'])}",
        hint="put() appends to the end of the list. From which end were these taken?",
    )
    expect(
        seen["by_another"],
        "one client puts the messages, and another one takes them",
        call=what,
        got="a client took messages that it had put itself",
        hint="In which of the two shells did you start the loop?",
    )


@points(1, after="test_the_queue_is_drained")
def test_a_client_waits_at_the_queue(observation, note):
    """A client waits at the empty queue: its loop has not ended"""
    if not observation.tells_who_waits and not observation.by_record:
        note("this Redis does not show which clients wait: check yourself that the consumer does")
        return
    elsewhere = observation.waits_elsewhere()
    if elsewhere:
        got = f"a client waits, but at {' and '.join(elsewhere)}"
        hint = "Compare the lines `q = …` of the two shells: are the name and the db the same?"
    elif observation.idle_askers:
        got = "a client waited there, and has stopped waiting"
        hint = "What ended the loop in the consumer: an interrupt, a None, or its timeout=?"
    elif observation.at_hand:
        command = observation.at_hand[0]["cmd"].upper()
        got = f"no client waits; one asked with {command}, which does not wait"
        hint = "get() returns None when the queue is empty. Which call waits for a message instead?"
    else:
        got = "no client waits"
        hint = "Look at the consumer: is it still in its loop, or does it show a prompt?"
    expect(
        observation.client_waits,
        "a client waits for the next message, however long that takes",
        call=f"looked for clients that wait at {observation.place}",
        got=got,
        hint=hint,
    )


@points(1, after=("test_messages_waited", "test_a_client_waits_at_the_queue"))
def test_more_were_taken_at_once(observation, note):
    """A message that is put while the other shell waits is taken at once"""
    if not observation.tells_who_waits and not observation.by_record:
        note("this Redis does not show which clients wait: you saw when the message was printed")
        return
    expect(
        observation.seen["at_once"],
        "a message that is put while a client waits is taken at once",
        call=f"watched for messages that are put while a client waits at {observation.place}",
        got="none was seen",
        hint="Go back to the producer and put one more: what happens in the consumer?",
    )
