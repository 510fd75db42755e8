"""Jobs, with helpers that anybody may call."""

import os
import pickle
import uuid

import redis
from hotqueue import HotQueue

where = {"host": os.getenv("REDIS_IP"), "port": int(os.getenv("REDIS_PORT", 6379))}
q = HotQueue("queue", serializer=pickle, db=1, **where)
rd = redis.Redis(db=0, decode_responses=True, **where)


def generate_jid():
    return str(uuid.uuid4())


def generate_job_key(jid):
    return "job." + jid


def save_job(job_key, job_dict):
    for field in job_dict:
        rd.hset(job_key, field, job_dict[field])


def queue_job(jid):
    q.put(jid)


def add_job(start, end, status="submitted"):
    jid = generate_jid()
    job_dict = {"id": jid, "status": status, "start": start, "end": end}
    save_job(generate_job_key(jid), job_dict)
    queue_job(jid)
    return job_dict


def get_job_by_id(jid):
    return rd.hgetall(generate_job_key(jid))


def update_job_status(jid, status):
    job = get_job_by_id(jid)
    if job:
        job["status"] = status
        save_job(generate_job_key(jid), job)
    return job
