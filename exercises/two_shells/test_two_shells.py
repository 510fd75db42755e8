"""Two shells share a queue: the Redis of the lessons shows what they did, and what they do now."""

from jobs_kit.grading import Exercise, NotAttemptedError, expect, observation_of, points

HOW_TO_WATCH = (
    "`jobs-kit check two_shells --watch` in a third terminal watches, and so does the exercise's "
    "page once its first cell has run"
)


def is_attempted(source):
    """Tell whether anything was done; say what to do where nothing was."""
    observation = observation_of(source)
    if not observation.nothing:
        return True
    if observation.problem:
        raise NotAttemptedError(f"nothing to judge yet: {observation.problem}")
    raise NotAttemptedError(
        f"nothing to judge yet: no message is on {observation.place} and no client waits there; "
        + ("somebody watches, so go on" if observation.is_watched else HOW_TO_WATCH)
    )


EXERCISE = Exercise(
    __file__,
    number=10,
    lesson="consume_messages",
    title="Let two shells talk through a queue",
    files=(),
    is_attempted=is_attempted,
    hints=(
        "Which of the two shells has its prompt back, and which one waits? "
        "Compare with the steps on the exercise's page.",
        "The first shell puts three strings while the second one does nothing. "
        "Then the second starts a loop that does not end, and the first goes on.",
        'In the first q.put("one", "two", "three"), then in the second '
        "`for message in q.consume(): print(message)`, then in the first another q.put().",
    ),
)


def named(messages):
    """Return messages as text."""
    return ", ".join(messages) or "none"


@points(1)
def test_messages_waited(observation, note):
    """At least three messages waited on the queue at once, before anybody took one"""
    seen = observation.seen
    expect(
        observation.was_watched,
        "three or more messages wait on the queue at once",
        call="looked for what was seen before now",
        got="nobody has watched while you worked, so only the present is known",
        hint=f"Who could see it when it happens? {HOW_TO_WATCH}. Then do the steps again.",
    )
    expect(
        observation.is_enough,
        "three or more messages wait on the queue at once, while nobody consumes",
        call="watched the queue",
        got=f"at most {seen['most']} waited at once: {named(seen['waited'])}"
        if seen["most"]
        else "none had to wait: each was taken the moment it came",
        hint="What did len(q) say in the first shell when the second one started its loop?",
    )
    if seen["asked_length"] == 0:
        note("you never asked for len(q): what would it have said before the loop, and what after?")


@points(1)
def test_the_queue_is_drained(observation, note):
    """The queue is empty now: all that was put has been taken"""
    if observation.by_record:
        note("the Redis of then is not here any more; what was seen on it at the end counts")
    expect(
        observation.problem is None or observation.by_record,
        "your Redis can be asked what is on the queue now",
        call="looked for your Redis",
        got=observation.problem,
        hint="Does the program that started your Redis, JupyterLab for example, still run?",
    )
    elsewhere = observation.waits_elsewhere()
    expect(
        observation.is_drained,
        "no message waits on the queue",
        call=f"looked at {observation.place}",
        got=f"{observation.length} on it: {named(observation.messages)}"
        + (f"; a client waits, but at {' and '.join(elsewhere)}" if elsewhere else ""),
        hint="Compare the lines `q = …` of the two shells: do they name the same queue, in the same db?"
        if elsewhere
        else "Does anybody consume? Look at the second shell: does its loop still run?",
    )


@points(2, after=("test_messages_waited", "test_the_queue_is_drained"))
def test_they_were_taken_in_order(observation):
    """The other shell took them, in the order in which they were put"""
    seen = observation.seen
    what = f"watched how {named(seen['waited'])} went"
    expect(
        seen["all_taken"] or not seen["removed"],
        "each message is taken by a consumer",
        call=what,
        got=f"{seen['removed']} of them were removed and never taken",
        hint="Which line empties a queue without giving its messages to anybody?",
    )
    got = f"these were taken: {named(seen['taken'])}"
    hint = "Does the second shell read the queue that the first one writes to?"
    expect(seen["all_taken"], "each message that waited is taken", call=what, got=got, hint=hint)
    expect(
        seen["in_order"],
        "the message that has waited longest is taken first",
        call=what,
        got=f"they were taken in this order: {named(seen['taken'])}",
        hint="At which end of the list are messages put, and from which end were these taken?",
    )
    expect(
        seen["by_another"],
        "one client puts the messages, another one takes them",
        call=what,
        got="a client took what it had put itself",
        hint="In which of the two shells did you start the loop?",
    )


@points(1, after="test_the_queue_is_drained")
def test_a_client_waits_at_the_queue(observation, note):
    """A client waits at the empty queue: its loop has not ended"""
    if not observation.tells_who_waits and not observation.by_record:
        note("this Redis does not tell who waits: look yourself whether the second shell does")
        return
    elsewhere = observation.waits_elsewhere()
    if elsewhere:
        got = f"a client waits, but at {' and '.join(elsewhere)}"
        hint = (
            "Compare the lines `q = …` of the two shells: which queue, and which db, do they use?"
        )
    elif observation.idle_askers:
        got = "a client has waited there and has left off"
        hint = (
            "What ended its loop: an interrupt, a None, or a time-out? Which call never gives up?"
        )
    elif observation.at_hand:
        command = observation.at_hand[0]["cmd"].upper()
        got = f"nobody waits; a client has asked by {command}, which does not wait"
        hint = "What does get() return when there is no message? Which call waits for one instead?"
    else:
        got = "nobody waits"
        hint = "Look at the second shell: does it stand in its loop, or has it a prompt again?"
    expect(
        observation.client_waits,
        "a client waits for the next message until it comes, however long that takes",
        call=f"looked who waits at {observation.place}",
        got=got,
        hint=hint,
    )


@points(1, after=("test_messages_waited", "test_a_client_waits_at_the_queue"))
def test_more_were_taken_at_once(observation, note):
    """What the first shell puts while the other one waits is taken at once"""
    if not observation.tells_who_waits and not observation.by_record:
        note("this Redis does not tell who waited: you have seen yourself when it was printed")
        return
    expect(
        observation.seen["at_once"],
        "a message that comes while a client waits is taken the moment it comes",
        call=f"watched for messages that are put while a client waits at {observation.place}",
        got="none was seen",
        hint="What happens in the second shell if you go back to the first and put one more?",
    )
