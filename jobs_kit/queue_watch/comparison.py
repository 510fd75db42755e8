"""Compare what is on the queue in Redis with what is known, and record what must have happened.

Redis is right. Where every command is heard (command_interpreter.py) nothing should have been
missed; elsewhere this is all there is, and who did it is a guess.
"""

from collections import defaultdict, deque
from typing import NamedTuple

from jobs_kit.queue_watch.picture import MOST_WAITING, depth


class Guess(NamedTuple):
    """The clients that may have caused the changes of a comparison, "" where that is unknown.

    from_the_end: whether the taker takes from the end. removed: whether what is missing was
    removed, and not taken.
    """

    putter: str = ""
    taker: str = ""
    from_the_end: bool = False
    removed: bool = False


NO_GUESS = Guess()


def compare(tracker, at, length, messages=None, is_first=False, guess=NO_GUESS):
    """Record what has changed; return the texts that were not known.

    length (int): of the queue. messages: [bytes], the first of them; None if Redis refuses that.
    """
    if messages is None:
        _count(tracker, at, length, is_first, guess)
        return []
    now, texts = tracker.now, [tracker.text_of(message) for message in messages]
    beyond = length - len(texts)
    if not is_first and _agree(tracker, length, texts):
        return []
    known = _recognise(tracker, texts)
    _lose(tracker, at, known, guess)
    fresh = [text for text, message in zip(texts, known, strict=True) if message is None]
    if not is_first and beyond == now["beyond"] and known == now["waiting"] + [None] * len(fresh):
        for text in fresh:
            tracker.put(at, text, guess.putter)
    else:
        numbers = [
            number or tracker.number(text) for number, text in zip(known, texts, strict=True)
        ]
        waiting = [list(pair) for pair in zip(numbers, texts, strict=True)]
        tracker.say(at, "look", waiting=waiting, beyond=beyond)
        for number, text, message in zip(numbers, texts, known, strict=True):
            if message is None:
                tracker.jobs.queued(at, text, number)
    return fresh


def _lose(tracker, at, known, guess):
    """Record how the missing messages were removed or taken."""
    waiting, kept = list(tracker.now["waiting"]), set(known)
    missing = [message for message in waiting if message not in kept]
    tail = known[:1] == waiting[:1] and missing == waiting[len(waiting) - len(missing) :]
    if guess.from_the_end or (waiting and tail):
        missing.reverse()
    for message in missing:
        if guess.removed:
            tracker.say(at, "remove", message=message)
        else:
            text = tracker.text(message)
            tracker.say(at, "take", message=message, text=text, who=guess.taker)


def runs_short(tracker):
    """Tell whether it is time to look who comes next in a queue whose end is only counted."""
    return bool(tracker.now["beyond"]) and len(tracker.now["waiting"]) < MOST_WAITING // 2


def _agree(tracker, length, texts):
    """Tell whether what is known fits, and is enough: of a long queue the end is only counted."""
    now = tracker.now
    known = [tracker.text(message) for message in now["waiting"]]
    return length == depth(now) and texts[: len(known)] == known and not runs_short(tracker)


def _recognise(tracker, texts):
    """Return the message behind each text, None for those that are new.

    What a worker was thought to hold may be at the head of the queue after all.
    """
    if (taken := _taken_from_the_head(tracker, texts)) is not None:
        rest = tracker.now["waiting"][taken:]
        return rest + [None] * (len(texts) - len(rest))
    waiting, held = defaultdict(deque), defaultdict(deque)
    for message in tracker.now["waiting"]:
        waiting[tracker.text(message)].append(message)
    for worker in tracker.now["workers"].values():
        for message in worker["holds"]:
            held[tracker.text(message)].append(message)
    messages = []
    for text in texts:
        if waiting[text]:
            messages.append(waiting[text].popleft())
            held.clear()
        else:
            messages.append(held[text].popleft() if held[text] else None)
    return messages


def _taken_from_the_head(tracker, texts):
    """Return how many messages are missing at the head, if what is left fits; else None."""
    before = [tracker.text(message) for message in tracker.now["waiting"]]
    fits = (n for n in range(1, len(before)) if before[n:] == texts[: len(before) - n])
    return next(fits, None)


def _count(tracker, at, length, is_first, guess):
    if is_first:
        tracker.say(at, "look", waiting=[[tracker.number(""), ""] for _ in range(length)], beyond=0)
    for _ in range(length - depth(tracker.now)):
        tracker.put(at, "", guess.putter)
    for message in tracker.now["waiting"][: max(depth(tracker.now) - length, 0)]:
        if guess.removed:
            tracker.say(at, "remove", message=message)
        else:
            tracker.take(at, guess.taker, from_the_end=guess.from_the_end)
    for _ in range(depth(tracker.now) - length):  # of those that are only counted
        tracker.take(at, guess.taker)
