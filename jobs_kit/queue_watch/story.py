"""Describe a recording in sentences: each event that matters to a reader gets one.

add_story(recording)                     events get says, and fault where they show what goes wrong
story_lines(recording.as_dict())         "0.012 s  worker.py takes 4f1c…"
"""

import copy

from jobs_kit.queue_watch.picture import apply
from jobs_kit.queue_watch.queue_tracker import UNFINISHED
from jobs_kit.redis_server.text import cut

LONGEST = 50  # characters of a message
SHOWN = 12  # lines of a story; the first few and the last ones
FIRST = 3
THE_CHECK = "the check"  # as a producer: the id that it puts may be one that no job has
FAULT = "!"  # before the line that shows what goes wrong


def add_story(recording):
    """Give the events of a Recording their sentences."""
    picture, idle = (
        copy.deepcopy(recording.start),
        set(),
    )  # idle: workers whose wait is in the story
    for event in recording.events:
        teller, who = _TELLERS.get(event["did"]), event.get("who")
        sentence = teller(picture, event) if teller else None
        apply(picture, event)
        if not sentence or (event["did"] == "worker" and who in idle):
            continue
        idle = idle | {who} if event["did"] == "worker" else idle - {who}
        says, is_fault = sentence if isinstance(sentence, tuple) else (sentence, False)
        event |= {"says": says, "fault": True} if is_fault else {"says": says}


def story_lines(recording, shown=SHOWN):
    """Return the story of a recording, as as_dict() returns it, as lines; of a long one a part."""
    told = [event for event in recording["events"] if "says" in event]
    lines = [
        f"{FAULT if event.get('fault') else ' '} {event['at']:.3f} s  {event['says']}"
        for event in told
    ]
    if len(lines) > shown:
        left_out = len(lines) - shown + 1
        kept = shown - FIRST - 1
        lines[FIRST:-kept] = [f"  … {left_out} more changes, then"]
    return lines


def _put(picture, event):
    name = _name(event["text"])
    where = "at the head of" if event["first"] else "on"
    says = f"{event['who'] or 'a program'} puts {name} {where} the queue"
    return says


def _take(picture, event):
    says = f"{event['who'] or 'a program'} takes {_name(event['text'])}"
    holder = _holder(picture, event["message"])
    if holder and holder != event["who"]:
        is_gone = picture["workers"][holder]["gone"]
        words = (
            f"{says}, which {holder} held" if is_gone else f"{says}, although {holder} works on it"
        )
        return words, not is_gone
    if event["message"] in picture["done"]:
        return f"{says} again, which was done", True
    return says


def _done(picture, event):
    message, holder = event["message"], _holder(picture, event["message"])
    status = ((picture["messages"].get(message) or {}).get("job") or {}).get("status")
    if not holder or status == "complete":  # the status was told just before
        return None
    says = f"{holder} is done with {_text(picture, message)}"
    return f"{says}, and its status is still {status}" if status else says


def _fail(picture, event):
    if not event["why"]:  # the status was told just before
        return None
    name, why = _text(picture, event["message"]), event["why"]
    if why.startswith("lost"):
        return f"{name} is {why}", True
    if why.startswith(UNFINISHED.partition("{")[0]):
        return f"{name}: {why}", True
    return f"{name} failed: {cut(why, LONGEST)}"


def _back(picture, event):
    holder = _holder(picture, event["message"])
    says = f"{_text(picture, event['message'])} goes back on the queue"
    if holder and not picture["workers"][holder]["gone"]:
        return f"{says}, although {holder} works on it", True
    return f"{says}, from the list of {holder}" if holder else says


def _remove(picture, event):
    return f"{_text(picture, event['message'])} is deleted from the queue"


def _worker(picture, event):
    known = picture["workers"].get(event["who"])
    if event["waits"] and not (known and known["waits"]):
        return f"{event['who']} waits for a message"
    return None


def _gone(picture, event):
    if event.get("why") is None:  # a message was lost with it, which tells both
        return None
    holds = picture["workers"].get(event["who"], {"holds": []})["holds"]
    held = f" while it held {', '.join(_text(picture, one) for one in holds)}" if holds else ""
    return f"{event['who']} ended{held}" + (f": {event['why']}" if event["why"] else "")


def _store(picture, event):
    return {"": _saved, "ghost": _ghost, "missing": _missing}[event["mark"]](picture, event)


def _saved(picture, event):
    who, key, fields = event["who"], event["key"], event["fields"]
    known = picture["records"].get(key)
    if known:
        is_new = "status" not in fields or known["fields"].get("status") != fields["status"]
        return f"{who} sets {_first(fields)} at {key}{'' if is_new else ', as before'}"
    if fields.get("status", "submitted") == "submitted" or "start" in fields:
        return f"{who} saves {_first(fields)} at {key}"
    return f"{who} writes {_first(fields)} at {key}, where there is no job", True


def _ghost(picture, event):
    records = picture["records"].items()
    own = (key for key, one in records if one["job"] == event["job"] and not one["mark"])
    words = f"{event['who']} writes {_first(event['fields'])} at {event['key']}"
    return f"{words}, but the job is at {next(own, 'another key')}", True


def _missing(picture, event):
    known = [one for one in picture["messages"].values() if event["job"] in one["text"]]
    putters = {who for one in known for _, word, who in one["steps"] if word == "put"}
    says = f"no job with the id {event['job']} is saved"
    return says if THE_CHECK in putters else (f"{says} yet", True)


def _first(fields):
    """Return the first field as text: the status, if there is one."""
    return " ".join(next(iter(fields.items()), ()))


def _unstore(picture, event):
    return f"{event['who']} deletes {event['key']}" if event["who"] else None


def _read(picture, event):
    return f"{event['who']} reads the key {event['key']}, where nothing is stored"


def _release(picture, event):
    name = _text(picture, event["message"])
    return f"{event['who']} removes {name} from {event['key']}: Redis keeps it no longer"


def _keep(picture, event):
    return f"Redis keeps {_text(picture, event['message'])} at {event['key']} for {event['who']}"


def _holder(picture, message):
    workers = picture["workers"].items()
    return next((who for who, worker in workers if message in worker["holds"]), None)


def _text(picture, message):
    return _name(picture["messages"].get(message, {"text": ""})["text"])


def _name(text):
    return cut(" ".join(text.split()), LONGEST) or "a message"


_TELLERS = {
    "put": _put,
    "take": _take,
    "done": _done,
    "fail": _fail,
    "back": _back,
    "remove": _remove,
    "worker": _worker,
    "gone": _gone,
    "store": _store,
    "unstore": _unstore,
    "read": lambda picture, event: (
        f"{event['who']} reads the key {event['key']}, where nothing is stored"
    ),
    "keep": _keep,
    "release": _release,
    "note": lambda picture, event: (event["text"], True),
}
