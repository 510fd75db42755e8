import functools
import json
import os
import uuid

from hotqueue import HotQueue
from redis import Redis

SCRIPT = """
if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('no such job') end
return redis.call('HSET', KEYS[1], 'status', ARGV[1])
"""


def address():
    return {"host": os.environ["REDIS_HOST"], "port": int(os.environ["REDIS_PORT"]), "socket_timeout": None}


@functools.cache
def queue():
    return HotQueue("queue", serializer=json, db=1, **address())


@functools.cache
def client():
    return Redis(db=0, **address())


def add_job(start, end, status="submitted"):
    jid = uuid.uuid4().hex
    job = {"id": jid, "status": status, "start": start, "end": end}
    client().hset(f"job.{jid}", mapping=job)
    queue().put(jid)
    return job


class UnknownJobError(LookupError):
    pass


def update_job_status(jid, status):
    if not client().hexists(f"job.{jid}", "id"):
        raise UnknownJobError(jid)
    client().eval(SCRIPT, 1, f"job.{jid}", status)
