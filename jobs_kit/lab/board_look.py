"""What stands on the queue in Redis, and what does that say about what happened since?

Redis is right. Where it can be heard (board_trace.py) nothing should have been missed; where it
can't, this is all there is, and nobody knows who took a message.
"""

from collections import defaultdict, deque

from jobs_kit.lab.board_commands import show_message
from jobs_kit.lab.board_picture import depth


def compare(notes, at, length, messages=None, is_first=False):
    """Note what has changed; return the texts that were not known.

    length (int): of the queue. messages: [bytes], the first of them; None if Redis refuses that.
    """
    if messages is None:
        _count(notes, at, length, is_first)
        return []
    now, texts = notes.now, [show_message(message) for message in messages]
    beyond = length - len(texts)
    if not is_first and beyond == now["beyond"] and texts == list(map(notes.text, now["waiting"])):
        return []
    found = _recognise(notes, texts)
    for message in [message for message in now["waiting"] if message not in set(found)]:
        notes.say(at, "take", message=message, text=notes.text(message), who="")
    known = len(now["waiting"])
    fresh = [text for text, message in zip(texts, found, strict=True) if message is None]
    if not is_first and beyond == now["beyond"] and found == now["waiting"] + [None] * len(fresh):
        for text in texts[known:]:
            notes.put(at, text)
    else:
        numbers = [one or notes.number(text) for one, text in zip(found, texts, strict=True)]
        waiting = [list(pair) for pair in zip(numbers, texts, strict=True)]
        notes.say(at, "look", waiting=waiting, beyond=beyond)
        for number, text, one in zip(numbers, texts, found, strict=True):
            if one is None:
                notes.jobs.queued(at, text, number)
    return fresh


def _recognise(notes, texts):
    """Return the message behind each text, None for those that are new.

    What a worker was thought to hold may be on the queue after all.
    """
    known = defaultdict(deque)
    held = [message for worker in notes.now["workers"].values() for message in worker["holds"]]
    for message in [*notes.now["waiting"], *held]:
        known[notes.text(message)].append(message)
    return [known[text].popleft() if known[text] else None for text in texts]


def _count(notes, at, length, is_first):
    if is_first:
        notes.say(at, "look", waiting=[[notes.number(""), ""] for _ in range(length)], beyond=0)
    for _ in range(length - depth(notes.now)):
        notes.put(at, "")
    for _ in range(depth(notes.now) - length):
        notes.take(at)
