"""Everything about jobs: their ids, their hashes in Redis, their queue."""

import json
### BEGIN SOLUTION defect_15
### | import uuid
import os
import uuid
### END SOLUTION

from hotqueue import HotQueue
from redis import StrictRedis

### BEGIN SOLUTION defect_15
### | q = HotQueue("queue", serializer=json, host="172.17.0.1", port=6379, db=1, socket_timeout=None)
### | rd = StrictRedis(host="172.17.0.1", port=6379, db=0)
HOST = os.environ.get("REDIS_HOST", "127.0.0.1")
PORT = int(os.environ.get("REDIS_PORT", "6379"))

q = HotQueue("queue", serializer=json, host=HOST, port=PORT, db=1, socket_timeout=None)
rd = StrictRedis(host=HOST, port=PORT, db=0)
### END SOLUTION


def _generate_jid():
    """Return a new random id."""
    return str(uuid.uuid4())


def _generate_job_key(jid):
    """Return the key under which Redis has the job with this id."""
    return "job.{}".format(jid)


def _instantiate_job(jid, status, start, end):
    """Return the dictionary that describes a job. Bytes from Redis are decoded."""
    ### BEGIN SOLUTION decoding
    ### | if type(jid) == str:
    ### |     return {"id": jid, "status": status, "start": start, "end": end}
    ### | return {
    ### |     "id": jid.decode("utf-8"),
    ### |     "status": status.decode("utf-8"),
    ### |     "start": start.decode("utf-8"),
    ### |     "end": end.decode("utf-8"),
    ### | }
    job = {"id": jid, "status": status, "start": start, "end": end}
    return {
        name: value.decode("utf-8") if isinstance(value, bytes) else value
        for name, value in job.items()
    }
    ### END SOLUTION


def _save_job(job_key, job_dict):
    """Save a job in Redis, as a hash."""
    ### BEGIN SOLUTION defect_08
    ### | rd.hmset(job_key, job_dict)
    rd.hset(job_key, mapping=job_dict)
    ### END SOLUTION


def _queue_job(jid):
    """Put the id of a job on the queue."""
    q.put(jid)


def add_job(start, end, status="submitted"):
    """Make a new job, save it and queue it; return it as a dictionary."""
    jid = _generate_jid()
    job_dict = _instantiate_job(jid, status, start, end)
    ### BEGIN SOLUTION defect_04
    ### | save_job(_generate_job_key(jid), job_dict)
    ### | queue_job(jid)
    _save_job(_generate_job_key(jid), job_dict)
    _queue_job(jid)
    ### END SOLUTION
    return job_dict


def update_job_status(jid, status):
    """Give the job with this id another status."""
    ### BEGIN SOLUTION defects_05_06_07
    ### | jid, status, start, end = rd.hmget(generate_job_key(jid), "id", "status", "start", "end")
    ### | job = _instantiate_job(jid, status, start, end)
    ### | if job:
    ### |     job["status"] = status
    ### |     _save_job(_generate_job_key(jid), job)
    ### | else:
    ### |     raise Exception()
    ### BEGIN SOLUTION defect_03
    ### | job_key = generate_job_key(jid)
    job_key = _generate_job_key(jid)
    ### END SOLUTION
    if not rd.exists(job_key):
        raise KeyError(f"there is no job {jid}")
    rd.hset(job_key, "status", status)
    ### END SOLUTION
