import os
import uuid
import redis
from hotqueue import HotQueue

host = os.environ["REDIS_HOST"]
port = os.environ["REDIS_PORT"]
q = HotQueue("queue", host=host, port=port, db=1)
rd = redis.StrictRedis(host, port, 0)


def _generate_jid():
    return str(uuid.uuid4())


def _generate_job_key(jid):
    return "job.{}".format(jid)


def _instantiate_job(jid, status, start, end):
    return {"id": jid, "status": status, "start": start, "end": end}


def _save_job(job_key, job_dict):
    for name, value in job_dict.items():
        rd.hset(job_key, name, value)


def _queue_job(jid):
    q.put(jid)


def add_job(start, end, status="submitted"):
    jid = _generate_jid()
    job = _instantiate_job(jid, status, start, end)
    _save_job(_generate_job_key(jid), job)
    _queue_job(jid)
    return job


def update_job_status(jid, status):
    if read_job(jid):
        rd.hset(_generate_job_key(jid), "status", status)


def read_job(jid):
    job = {}
    for name, value in rd.hgetall(_generate_job_key(jid)).items():
        job[name.decode("utf-8")] = value.decode("utf-8")
    return job
