"""Add events up to a picture of a queue.

An event is a dict: {"at": seconds since 1970, "did": a word, ...}. The words, and what goes along:

    look    waiting, beyond: the queue as Redis shows it, [[message, text], ...], head first, and
            how many more wait behind them
    put     message, text, who, first: by a producer; first if at the head
    take    message, text, who: by a worker, "" where Redis does not tell
    job     message, fields: of its job, {"status": "in progress"} for example
    done    message
    fail    message, why
    back    message: on the queue again, at the head
    remove  message: deleted while it waited
    length  who: a producer asked how many messages wait
    worker  who, waits: it is there; waits until a message comes
    gone    who
    leave   who: it waits, but at another queue
    away, here     Redis does not answer; it answers again
    note    text: what cannot be seen here
    store   key, job, fields, mark, who: a record of a job in Redis, whose id is job. mark: "" for
            what its writer saved, "ghost" at another key than the job's own, "missing" where a
            message names a job that is not saved
    unstore key, who
    read    key, who: a job was looked for at a key where nothing is
    keep    message, key, who: Redis keeps the message for the worker that holds it
    release message, key, who: Redis keeps it no longer

An event may have says, a sentence about it, and fault, whether it shows what goes wrong.

A message is known by a number, written as text. player.js adds up by the same rules.
"""

MOST_WAITING = 2_000  # messages that are known one by one; more are counted
MOST_ENDED = 60
MOST_GONE = 2  # workers that have ended and are still shown
MOST_PRODUCERS = 50
MOST_RECORDS = 40
SECONDS = 60  # that the plots show


def empty_picture(queue, role="worker"):
    """Return the picture of a queue of which nothing is known yet.

    role: what those that take messages are called, "worker" or "consumer".
    """
    return {
        "queue": queue,
        "role": role,
        "at": 0,
        "here": True,
        "note": "",
        "producers": {},  # who: how many messages it has put
        "waiting": [],  # messages, head first
        "beyond": 0,  # how many more wait behind them
        "workers": {},  # who: {"holds": [message], "waits": bool, "gone": bool, "done": int}
        "taken": [],  # by whom is not known
        "done": [],
        "failed": [],
        "counts": {"taken": 0, "done": 0, "failed": 0},
        "records": {},  # key: {"job": id, "fields", "mark"}, of jobs; empty on a live board
        "messages": {},  # message: {"text", "job": its fields or None, "steps": [[at, word, more]]},
        # and kept: the key where Redis keeps it for its worker, "" for nowhere, if that is known
        "minute": [],  # [second, depth, taken], for seconds in which something happened
    }


def depth(picture):
    """Return how many messages wait."""
    return len(picture["waiting"]) + picture["beyond"]


def apply(picture, event):
    """Change the picture by an event."""
    picture["at"] = max(picture["at"], event["at"])
    _RULES[event["did"]](picture, event)
    _note_second(picture, event)


def _look(picture, event):
    waiting = [message for message, _ in event["waiting"]]
    for message in set(picture["waiting"]) - set(waiting):
        del picture["messages"][message]
    for message, text in event["waiting"]:
        if message not in picture["messages"]:
            _know(picture, message, text)
            _step(picture, event | {"message": message}, "found")
        elif message not in picture["waiting"]:
            _leave(picture, message)
            _step(picture, event | {"message": message}, "back")
    picture["waiting"], picture["beyond"] = waiting, event["beyond"]


def _put(picture, event):
    who, message = event["who"], event["message"]
    if who:
        picture["producers"][who] = picture["producers"].get(who, 0) + 1
        _cut(picture["producers"], MOST_PRODUCERS)
    full = picture["beyond"] or len(picture["waiting"]) >= MOST_WAITING
    if full and not event["first"]:
        picture["beyond"] += 1
        return
    if message in picture["messages"]:
        _leave(picture, message)
    _know(picture, message, event["text"])
    picture["waiting"].insert(0 if event["first"] else len(picture["waiting"]), message)
    _step(picture, event, "put", who)


def _take(picture, event):
    who, message = event["who"], event["message"]
    if message not in picture["messages"] and picture["beyond"]:
        picture["beyond"] -= 1
    _leave(picture, message)
    _know(picture, message, event["text"])
    if who:
        worker = _worker(picture, who)
        worker["holds"].append(message)
        worker["waits"] = False
        _step(picture, event, "taken", who)
    else:
        _end(picture, event, "taken")


def _job(picture, event):
    if known := picture["messages"].get(event["message"]):
        old, known["job"] = known["job"] or {}, (known["job"] or {}) | event["fields"]
        if known["job"].get("status") != old.get("status"):
            _step(picture, event, known["job"]["status"])


def _done(picture, event):
    holder = _leave(picture, event["message"])
    if holder:
        picture["workers"][holder]["done"] += 1
    _end(picture, event, "done")


def _fail(picture, event):
    _leave(picture, event["message"])
    _end(picture, event, "failed", event["why"])


def _back(picture, event):
    if event["message"] in picture["messages"]:
        _leave(picture, event["message"])
        picture["waiting"].insert(0, event["message"])
        _step(picture, event, "back")


def _remove(picture, event):
    if event["message"] in picture["waiting"]:
        picture["waiting"].remove(event["message"])
        del picture["messages"][event["message"]]


def _store(picture, event):
    records = picture["records"]
    fields = records.get(event["key"], {"fields": {}})["fields"] | event["fields"]
    records[event["key"]] = {"job": event["job"], "fields": fields, "mark": event["mark"]}
    _cut(records, MOST_RECORDS)


def _keep(picture, event, key):
    if known := picture["messages"].get(event["message"]):
        known["kept"] = key


def _there(picture, event):
    worker = _worker(picture, event["who"])
    worker["waits"], worker["gone"] = event["waits"], False


def _gone(picture, event):
    workers = picture["workers"]
    worker = workers.pop(event["who"], None)
    if worker:
        workers[event["who"]] = worker | {"gone": True, "waits": False}  # the last to end is last
    old = [who for who, worker in workers.items() if worker["gone"] and not worker["holds"]]
    for who in old[:-MOST_GONE]:
        del workers[who]


def _worker(picture, who):
    return picture["workers"].setdefault(
        who, {"holds": [], "waits": False, "gone": False, "done": 0}
    )


def _know(picture, message, text):
    picture["messages"].setdefault(message, {"text": text, "job": None, "steps": []})


def _step(picture, event, word, more=""):
    picture["messages"][event["message"]]["steps"].append([event["at"], word, more])


def _leave(picture, message):
    """Take the message out of the place where it is; return the worker that held it, or ""."""
    if message in picture["waiting"]:
        picture["waiting"].remove(message)
    for place in ("taken", "done", "failed"):
        if message in picture[place]:
            picture[place].remove(message)
            picture["counts"][place] -= 1
    for who, worker in picture["workers"].items():
        if message in worker["holds"]:
            worker["holds"].remove(message)
            return who
    return ""


def _end(picture, event, place, more=""):
    _know(picture, event["message"], "")
    picture[place].append(event["message"])
    picture["counts"][place] += 1
    _step(picture, event, place, more)
    for message in picture[place][:-MOST_ENDED]:
        del picture["messages"][message]
    del picture[place][:-MOST_ENDED]


def _cut(names, most):
    for name in list(names)[:-most]:
        del names[name]


def _note_second(picture, event):
    minute, second = picture["minute"], int(picture["at"])
    if not minute or minute[-1][0] < second:
        minute.append([second, 0, 0])
        while minute[1:] and minute[1][0] < second - SECONDS:
            del minute[0]  # one from before stays: it says how deep the queue was
    minute[-1][1] = depth(picture)
    minute[-1][2] += event["did"] == "take"


_RULES = {
    "look": _look,
    "put": _put,
    "take": _take,
    "job": _job,
    "done": _done,
    "fail": _fail,
    "back": _back,
    "remove": _remove,
    "length": lambda picture, event: None,
    "worker": _there,
    "gone": _gone,
    "leave": lambda picture, event: picture["workers"].pop(event["who"], None),
    "away": lambda picture, event: picture.update(here=False),
    "here": lambda picture, event: picture.update(here=True),
    "note": lambda picture, event: picture.update(note=event["text"]),
    "store": _store,
    "unstore": lambda picture, event: picture["records"].pop(event["key"], None),
    "read": lambda picture, event: None,
    "keep": lambda picture, event: _keep(picture, event, event["key"]),
    "release": lambda picture, event: _keep(picture, event, ""),
}
