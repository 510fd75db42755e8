import json
import os
import uuid

from hotqueue import HotQueue
from redis import ConnectionPool, Redis

pool = ConnectionPool.from_url(os.environ["REDIS_URL"], db=1, socket_timeout=None)
q = HotQueue("jobs", serializer=json, connection_pool=pool)
rd = Redis(connection_pool=pool)


class NoSuchJob(Exception):
    """There is no job with this id."""


def _save(job):
    rd.set("a job: " + job["id"], json.dumps(job))


def add_job(start, end):
    if not (isinstance(start, str) and isinstance(end, str)):
        raise ValueError("start and end are texts")
    job = {"id": uuid.uuid4().hex, "start": start, "end": end, "status": "submitted"}
    _save(job)
    q.put(job["id"])
    return job["id"]


def update_job_status(jid, status):
    text = rd.get("a job: " + jid)
    if text is None:
        raise NoSuchJob(jid)
    _save(json.loads(text) | {"status": status})
