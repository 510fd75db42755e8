"""The checks of save_and_queue and add_job as they are asked of a notebook, by other graders.

Each takes the names of the notebook, a dict, and raises AssertionError: what the checks in
exercises/jobs_service/ ask of jobs.py, as far as it can be asked from within. They share the
process, the clients and the Redis with the answer.
"""

import json
import os
import pickle

import redis

JID = "1f6e3c1c-6f5e-4c53-9a29-7d0a54a9a1e9"
KEY = f"job.{JID}"
JOB = {"id": JID, "status": "submitted", "start": "2012-01-01", "end": "2012-12-31"}
START, END = "2012-01-01", "2012-03-31"


def named(names, name):
    """Return a function of the notebook, whether its name is private or not."""
    return names.get(f"_{name}") or names[name]


def client(db=0):
    return redis.Redis(port=int(os.environ["REDIS_PORT"]), db=db)


def watched(function, *arguments):
    """Call on an empty Redis; return (value, [[name, arguments as text], ...] of all commands)."""
    client().flushall()
    with client() as mine, mine.monitor() as monitor:
        value = function(*arguments)
        mine.echo("mark")
        commands = []
        for one in monitor.listen():
            words = one["command"].split(" ")
            if "mark" in words:
                return value, [[words[0].upper(), *words[1:]] for words in commands]
            commands.append(words)


def keys():
    """Return [(db, key, type), ...] of every key."""
    found = []
    for name in client().info("keyspace"):
        db = int(name.removeprefix("db"))
        there = client(db).scan_iter()
        found += [(db, key.decode(), client(db).type(key).decode()) for key in there]
    return found


def messages():
    """Return [(db, list, message as bytes), ...] of all lists."""
    lists = [(db, key) for db, key, kind in keys() if kind == "list"]
    return [(db, key, one) for db, key in lists for one in client(db).lrange(key, 0, -1)]


def read(message):
    try:
        return json.loads(message)
    except ValueError:
        return pickle.loads(message)


def jid_of(value):
    if isinstance(value, str):
        return value
    return value["id"] if isinstance(value, dict) else value.id


def saved(names):
    watched(named(names, "save_job"), KEY, dict(JOB))
    return {key: (db, kind) for db, key, kind in keys()}


def check_it_is_defined(names):
    assert callable(named(names, "save_job")) and callable(named(names, "queue_job"))


def check_a_hash_at_the_key(names):
    assert saved(names)[KEY][1] == "hash"


def check_the_four_fields(names):
    db, _ = saved(names)[KEY]
    fields = {name.decode(): value.decode() for name, value in client(db).hgetall(KEY).items()}
    assert fields.items() >= JOB.items(), fields


def check_one_message_on_the_queue(names):
    watched(named(names, "queue_job"), JID)
    assert [key for _, key, _ in messages()] == ["hotqueue:queue"], messages()


def check_the_message_is_the_id(names):
    watched(named(names, "queue_job"), JID)
    assert read(messages()[0][2]) == JID, messages()


def check_it_returns_the_job(names):
    value, _ = watched(names["add_job"], START, END)
    assert " " not in jid_of(value)


def job_of(jid):
    """Return the (key, fields) of a saved job."""
    for db, key, kind in keys():
        if jid in key and kind == "hash":
            return key, {n.decode(): v.decode() for n, v in client(db).hgetall(key).items()}
    raise AssertionError(f"no job {jid} is saved")


def check_the_job_is_saved(names):
    jid = jid_of(watched(names["add_job"], START, END)[0])
    assert job_of(jid)[0] == named(names, "generate_job_key")(jid)


def check_what_is_saved(names):
    _, fields = job_of(jid_of(watched(names["add_job"], START, END)[0]))
    assert fields.items() >= {"status": "submitted", "start": START, "end": END}.items(), fields


def check_the_id_is_queued(names):
    jid = jid_of(watched(names["add_job"], START, END)[0])
    found = [read(one) for _, _, one in messages() if jid.encode() in one]
    assert len(found) == 1 and jid in (found[0] if isinstance(found[0], list | dict) else found)


def check_saved_before_queued(names):
    value, commands = watched(names["add_job"], START, END)
    mine = [words[0] for words in commands if any(jid_of(value) in word for word in words)]
    assert mine.index("HSET") < mine.index("RPUSH"), mine


def check_ids_differ(names):
    assert jid_of(names["add_job"](START, END)) != jid_of(names["add_job"](START, END))


CHECKS = [name for name in list(globals()) if name.startswith("check_")]
