"""What stands on the queue in Redis, and what does that say about what happened since?

Redis is right. Where it can be heard (trace.py) nothing should have been missed; where it
can't, this is all there is, and nobody knows who took a message.
"""

from collections import defaultdict, deque

from jobs_kit.queue_watch.picture import MOST_WAITING, depth
from jobs_kit.redis_server.text import message_text


def compare(tracker, at, length, messages=None, is_first=False):
    """Note what has changed; return the texts that were not known.

    length (int): of the queue. messages: [bytes], the first of them; None if Redis refuses that.
    """
    if messages is None:
        _count(tracker, at, length, is_first)
        return []
    now, texts = tracker.now, [message_text(message) for message in messages]
    beyond = length - len(texts)
    if not is_first and _agree(tracker, length, texts):
        return []
    found = _recognise(tracker, texts)
    for message in [message for message in now["waiting"] if message not in set(found)]:
        tracker.say(at, "take", message=message, text=tracker.text(message), who="")
    fresh = [text for text, message in zip(texts, found, strict=True) if message is None]
    if not is_first and beyond == now["beyond"] and found == now["waiting"] + [None] * len(fresh):
        for text in fresh:
            tracker.put(at, text)
    else:
        numbers = [one or tracker.number(text) for one, text in zip(found, texts, strict=True)]
        waiting = [list(pair) for pair in zip(numbers, texts, strict=True)]
        tracker.say(at, "look", waiting=waiting, beyond=beyond)
        for number, text, one in zip(numbers, texts, found, strict=True):
            if one is None:
                tracker.jobs.queued(at, text, number)
    return fresh


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

    What a worker was thought to hold may stand at the head of the queue after all.
    """
    waiting, held = defaultdict(deque), defaultdict(deque)
    for message in tracker.now["waiting"]:
        waiting[tracker.text(message)].append(message)
    for worker in tracker.now["workers"].values():
        for message in worker["holds"]:
            held[tracker.text(message)].append(message)
    found = []
    for text in texts:
        if waiting[text]:
            found.append(waiting[text].popleft())
            held.clear()
        else:
            found.append(held[text].popleft() if held[text] else None)
    return found


def _count(tracker, at, length, is_first):
    if is_first:
        tracker.say(at, "look", waiting=[[tracker.number(""), ""] for _ in range(length)], beyond=0)
    for _ in range(length - depth(tracker.now)):
        tracker.put(at, "")
    for _ in range(depth(tracker.now) - length):
        tracker.take(at)
