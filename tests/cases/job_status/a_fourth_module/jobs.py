from uuid import uuid4

from store import q, rd


def _key(jid):
    return "job." + jid


def add_job(start, end, status="submitted"):
    jid = str(uuid4())
    rd.hset(_key(jid), mapping=dict(id=jid, status=status, start=start, end=end))
    q.put(jid)
    return jid


def get_job(jid):
    job = rd.hgetall(_key(jid))
    if not job:
        raise LookupError(f"no job {jid}")
    return job


def update_job_status(jid, status):
    get_job(jid)
    rd.hset(_key(jid), "status", status)
