"""What a job is, where it lives, and how it is queued.

A job is a dict {"id", "status", "start", "end"}. In Redis it is a hash, `job.<id>`, and its id
waits on the queue `queue`, key `hotqueue:queue`, in the same database: one step of Redis changes
both (jobs.lua). Its status goes

    submitted -> in progress -> complete, or failed

and back from "in progress" to "submitted" only when its worker died.
"""

import json
import os
import threading
import uuid
from pathlib import Path

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from jobs_kit import settings
from jobs_kit.queues import Consumer, ReliableQueue

FIELDS = ("id", "status", "start", "end")
STATUSES = ("submitted", "in progress", "complete", "failed")


class UnknownJobError(LookupError):
    """There is no job of this id; there may have been one that has expired."""


class JobQueue(ReliableQueue):
    """A ReliableQueue of job ids that keeps each job's status in step with its id."""

    more_steps = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")
    more_keys = (f"{settings.prefix()}job.", f"{settings.prefix()}jobs")


# Neither connects before it is used. Every step may be repeated, so waiting for an answer has an
# end here; plain HotQueue must not have one (socket_timeout=None).
rd = redis.Redis.from_url(
    settings.redis_url(), socket_timeout=5, retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 3)
)
q = JobQueue(
    settings.prefix() + "queue", lease=settings.lease(), connection_pool=rd.connection_pool
)
_own = threading.local()


def _generate_jid():
    return str(uuid.uuid4())


def _generate_job_key(jid):
    return f"{settings.prefix()}job.{jid}"


def _instantiate_job(jid, status, start, end):
    values = (jid, status, start, end)
    texts = [value.decode() if isinstance(value, bytes) else str(value) for value in values]
    return dict(zip(FIELDS, texts, strict=True))


def add_job(start, end):
    """Save a new job and put its id on the queue, both in one step; return the job.

    start, end: ISO dates (str). Raises redis.ConnectionError when Redis is away: then there is
    either a whole job or none.
    """
    job = _instantiate_job(_generate_jid(), "submitted", start, end)
    message = json.dumps(job["id"])
    q.step("add", message, job["id"], job["start"], job["end"], settings.job_expires())
    return job


def get_job(jid):
    """Return the job of this id (str), or None."""
    fields = q.step("job", jid)
    return _instantiate_job(*fields) if fields[0] else None


def list_jobs(limit=20):
    """Return the newest jobs, newest first, at most limit (int) of them."""
    ids = rd.zrevrange(f"{settings.prefix()}jobs", 0, limit - 1)
    with rd.pipeline(transaction=False) as pipeline:
        for jid in ids:
            pipeline.hmget(_generate_job_key(jid.decode()), *FIELDS)
        return [_instantiate_job(*fields) for fields in pipeline.execute() if fields[0]]


def get_outcome(jid):
    """Return (result, error) of a job: what json.loads makes of its result, its message (str).

    Either is None where there is none.
    """
    result, error = rd.hmget(_generate_job_key(jid), "result", "error")
    return result and json.loads(result), error and error.decode()


def get_plot(jid):
    """Return the plot of a job as the bytes of a PNG, or None."""
    return rd.hget(_generate_job_key(jid), "plot") or None


def get_history(jid):
    """Return what happened to a job: [(seconds since 1970, status), ...]; [] if it is unknown."""
    lines = (rd.hget(_generate_job_key(jid), "history") or b"").decode().splitlines()
    return [(float(at), status) for at, status in (line.split(" ", 1) for line in lines)]


def update_job_status(jid, status):
    """Set the status of a job; each change is timed, and setting it twice is setting it once.

    Raises UnknownJobError, and ValueError for a change that the module's docstring does not show.
    """
    if status not in STATUSES:
        raise ValueError(f"{status!r} is not a status; there are {', '.join(STATUSES)}")
    reply = q.step("update", jid, status)
    if reply is None:
        raise UnknownJobError(f"there is no job {jid}")
    if not reply[1]:
        raise ValueError(f"job {jid} is {reply[0].decode()}; it cannot become {status}")


def next_job(finished=None, result=None, plot=b"", **waiting):
    """Finish one job, claim and start the next: one round trip while the queue is not empty.

    finished: the job that you hold, as this function returned it, or its id. result: what it came
    to (anything that JSON can express), or the exception that it raised. plot: bytes of a PNG.
    waiting: block=False or timeout=seconds, as for HotQueue.get; by default it waits.
    Returns the next job, now "in progress", or None. A job that was taken from you, because you
    gave no sign of life for a lease, is not finished by you: that changes nothing.
    """
    consumer = _consumer()
    claimed = consumer.next(*_outcome(consumer, finished, result), plot, **waiting)
    return _instantiate_job(*claimed[1]) if claimed else None


def stop_working(finished=None, result=None, plot=b""):
    """Finish a job as next_job() does, claim none, and put back what else is in hand."""
    consumer = _consumer()
    consumer.close(*_outcome(consumer, finished, result), plot)
    del _own.consumer


def interrupt():
    """For a signal handler: let this thread's next_job() return None instead of waiting.

    Raises SystemExit where it waits already.
    """
    _consumer().interrupt()


def _consumer():
    """Return the consumer of this thread; a forked process needs another, with its own heart."""
    if getattr(_own, "pid", None) != os.getpid() or not hasattr(_own, "consumer"):
        _own.pid, _own.consumer = os.getpid(), Consumer(q, settings.worker_name())
    return _own.consumer


def _outcome(consumer, finished, result):
    jid = finished["id"] if isinstance(finished, dict) else finished
    if jid is None or jid != consumer.message:
        return "", ""
    if isinstance(result, Exception):
        return "failed", _message(result)
    try:
        return "complete", json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as problem:
        return "failed", f"the result is not JSON: {problem}"


def _message(error):
    kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    text = f"{kind}{error}"[:1000].strip(": ") or type(error).__name__
    return text.encode(errors="replace").decode()
