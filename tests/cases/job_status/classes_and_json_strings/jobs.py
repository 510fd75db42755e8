import dataclasses
import json
import os
import uuid

import redis
from hotqueue import HotQueue

ADDRESS = dict(host=os.environ.get("REDIS_HOST"), port=int(os.environ.get("REDIS_PORT", 6379)))
q = HotQueue("queue", db=1, **ADDRESS)
rd = redis.Redis(db=2, **ADDRESS)


@dataclasses.dataclass
class Job:
    id: str
    status: str
    start: str
    end: str

    def save(self):
        rd.set(f"jobs/{self.id}", json.dumps(dataclasses.asdict(self)))


class NoSuchJob(Exception):
    pass


def find(jid):
    text = rd.get(f"jobs/{jid}")
    if text is None:
        raise NoSuchJob(jid)
    return Job(**json.loads(text))


def add_job(start, end, status="submitted"):
    job = Job(str(uuid.uuid4()), status, start, end)
    job.save()
    q.put(job.id)
    return job


def update_job_status(jid, status):
    job = find(jid)
    job.status = status
    job.save()
