import json
import os
import uuid

import redis
from hotqueue import HotQueue

URL = os.environ.get("REDIS_URL", "redis://localhost:6379")
rd = redis.Redis.from_url(URL, db=0, decode_responses=True)
q = HotQueue("queue", serializer=json, connection_pool=redis.ConnectionPool.from_url(URL, db=1))


def add_job(start, end, status="submitted"):
    job = dict(id=str(uuid.uuid4()), status=status, start=start, end=end)
    rd.hset(f"job.{job['id']}", items=[word for pair in job.items() for word in pair])
    q.put({"id": job["id"]})
    return job


def update_job_status(jid, status):
    key = f"job.{jid}"
    with rd.pipeline() as pipe:
        pipe.watch(key)
        if not pipe.exists(key):
            return False
        pipe.multi()
        pipe.hset(key, "status", status)
        pipe.execute()
    return True
