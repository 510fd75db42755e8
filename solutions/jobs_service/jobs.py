"""What a job is, where it lives, and how it is queued."""
### BEGIN SOLUTION imports

import json
### BEGIN SOLUTION redis_from_environment
import os
### END SOLUTION
import uuid

import redis
from hotqueue import HotQueue
### END SOLUTION
### BEGIN SOLUTION modules

### BEGIN SOLUTION redis_from_environment
### | q = HotQueue("queue", serializer=json, host="172.17.0.1", port=6379, db=1, socket_timeout=None)
### | rd = redis.Redis(host="172.17.0.1", port=6379, db=0)
HOST = os.environ.get("REDIS_HOST", "127.0.0.1")
PORT = int(os.environ.get("REDIS_PORT", "6379"))

q = HotQueue("queue", serializer=json, host=HOST, port=PORT, db=1, socket_timeout=None)
rd = redis.Redis(host=HOST, port=PORT, db=0)
### END SOLUTION


def _generate_jid():
    """Return a new id, such as "1f6e3c1c-6f5e-4c53-9a29-7d0a54a9a1e9"."""
    return str(uuid.uuid4())


def _generate_job_key(jid):
    """Return the Redis key of a job: "job.1f6e3c1c-…"."""
    return f"job.{jid}"


def _instantiate_job(jid, status, start, end):
    """Return a job as a dict of texts. Redis answers with bytes, so bytes are decoded."""
    values = {"id": jid, "status": status, "start": start, "end": end}
    return {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in values.items()
    }


def _save_job(job_key, job_dict):
    """Save a job as a hash: its key, and the four fields of the dict."""
    ### BEGIN SOLUTION save_and_queue
    rd.hset(job_key, mapping=job_dict)
    ### END SOLUTION


def _queue_job(jid):
    """Put the id of a job on the queue."""
    ### BEGIN SOLUTION save_and_queue
    q.put(jid)
    ### END SOLUTION


def add_job(start, end, status="submitted"):
    """Make a job, save it, queue it; return it as a dict."""
    jid = _generate_jid()
    job_dict = _instantiate_job(jid, status, start, end)
    ### BEGIN SOLUTION add_job
    ### | _save_job(..., ...)
    ### | _queue_job(...)
    _save_job(_generate_job_key(jid), job_dict)
    _queue_job(jid)
    ### END SOLUTION
    return job_dict


def update_job_status(jid, status):
    """Set the status of the job with this id. Raises KeyError if there is none."""
    job_key = _generate_job_key(jid)
    if not rd.exists(job_key):
        raise KeyError(jid)
    rd.hset(job_key, "status", status)
### END SOLUTION
### BEGIN SOLUTION job_status


def get_job(jid):
    """Return the job with this id as a dict, or None."""
    fields = rd.hmget(_generate_job_key(jid), "id", "status", "start", "end")
    return _instantiate_job(*fields) if fields[0] else None
### END SOLUTION
### BEGIN SOLUTION job_results


def save_result(jid, result):
    """Store what a job came to, anything that JSON can express, beside its fields."""
    rd.hset(_generate_job_key(jid), "result", json.dumps(result))


def get_result(jid):
    """Return what save_result() has stored for a job."""
    return json.loads(rd.hget(_generate_job_key(jid), "result"))
### END SOLUTION
### BEGIN SOLUTION failing_job


def fail_job(jid, message):
    """End a job as failed, with a message that says why."""
    rd.hset(_generate_job_key(jid), mapping={"status": "failed", "error": message})


def get_error(jid):
    """Return the message of a failed job, or None."""
    message = rd.hget(_generate_job_key(jid), "error")
    return message.decode() if message else None
### END SOLUTION
