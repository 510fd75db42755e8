"""Everything about jobs: their ids, their hashes in Redis, their queue."""

import json
import uuid

from hotqueue import HotQueue
from redis import StrictRedis

q = HotQueue("queue", serializer=json, host="172.17.0.1", port=6379, db=1, socket_timeout=None)
rd = StrictRedis(host="172.17.0.1", port=6379, db=0)


def _generate_jid():
    """Return a new random id."""
    return str(uuid.uuid4())


def _generate_job_key(jid):
    """Return the key under which Redis has the job with this id."""
    return "job.{}".format(jid)


def _instantiate_job(jid, status, start, end):
    """Return the dictionary that describes a job. Bytes from Redis are decoded."""
    if type(jid) == str:
        return {"id": jid, "status": status, "start": start, "end": end}
    return {
        "id": jid.decode("utf-8"),
        "status": status.decode("utf-8"),
        "start": start.decode("utf-8"),
        "end": end.decode("utf-8"),
    }


def _save_job(job_key, job_dict):
    """Save a job in Redis, as a hash."""
    rd.hmset(job_key, job_dict)


def _queue_job(jid):
    """Put the id of a job on the queue."""
    q.put(jid)


def add_job(start, end, status="submitted"):
    """Make a new job, save it and queue it; return it as a dictionary."""
    jid = _generate_jid()
    job_dict = _instantiate_job(jid, status, start, end)
    save_job(_generate_job_key(jid), job_dict)
    queue_job(jid)
    return job_dict


def update_job_status(jid, status):
    """Give the job with this id another status."""
    jid, status, start, end = rd.hmget(generate_job_key(jid), "id", "status", "start", "end")
    job = _instantiate_job(jid, status, start, end)
    if job:
        job["status"] = status
        _save_job(_generate_job_key(jid), job)
    else:
        raise Exception()
