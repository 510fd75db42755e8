"""Jobs: what they are, how they are stored, and how they are queued.

A job is a dict {"id", "status", "start", "end"}. In Redis it is a hash, `job.<id>`, and its id
waits on the queue `queue`, key `hotqueue:queue`. Both are in one database, so that one atomic step
can change both (jobs.lua). The status of a job changes

    submitted -> in progress -> complete, or failed

and back from "in progress" to "submitted" only when its worker dies or stops.
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
    """An error for an id without a job. The job may have expired."""


class JobQueue(ReliableQueue):
    """A ReliableQueue of job ids: each job's status changes in the same step as its place."""

    more_steps = Path(__file__).with_suffix(".lua").read_text(encoding="utf-8")
    more_keys = (f"{settings.prefix()}job.", f"{settings.prefix()}jobs")


# Neither connects before its first use. All steps are idempotent, so a client that got no reply
# in time may send one again. A plain HotQueue must not: it needs socket_timeout=None.
# Twice 0.9 seconds: the API answers within two seconds that Redis is not available.
rd = redis.Redis.from_url(
    settings.redis_url(), socket_timeout=0.9, retry=Retry(ExponentialBackoff(base=0.05), 1)
)
q = JobQueue(
    settings.prefix() + "queue", lease=settings.lease(), connection_pool=rd.connection_pool
)
_thread = threading.local()
_encode = json.JSONEncoder(allow_nan=False).encode


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

    start, end: ISO dates (str). Raises redis.ConnectionError if Redis is away; the job is then
    saved and queued, or neither.
    """
    job = _instantiate_job(_generate_jid(), "submitted", start, end)
    message = json.dumps(job["id"])
    q.step("add", message, job["id"], job["start"], job["end"], settings.job_expires())
    return job


def get_job(jid):
    """Return the job of this id (str), or None."""
    fields = rd.hmget(_generate_job_key(jid), *FIELDS)
    return _instantiate_job(*fields) if fields[0] else None


def list_jobs(limit=20):
    """Return the newest jobs, newest first, at most limit (int) of them."""
    ids = rd.zrevrange(f"{settings.prefix()}jobs", 0, limit - 1)
    with rd.pipeline(transaction=False) as pipeline:
        for jid in ids:
            pipeline.hmget(_generate_job_key(jid.decode()), *FIELDS)
        return [_instantiate_job(*fields) for fields in pipeline.execute() if fields[0]]


def get_outcome(jid):
    """Return (result, error) of a job: its result, decoded from JSON, and its error message (str).

    Either is None if the job has none.
    """
    result, error = rd.hmget(_generate_job_key(jid), "result", "error")
    return result and json.loads(result), error and error.decode()


def get_plot(jid):
    """Return the plot of a job as the bytes of a PNG, or None."""
    return rd.hget(_generate_job_key(jid), "plot") or None


def get_history(jid):
    """Return the status changes of a job: [(seconds since 1970, status), ...]; [] if unknown."""
    lines = (rd.hget(_generate_job_key(jid), "history") or b"").decode().splitlines()
    return [(float(at), status) for at, status in (line.split(" ", 1) for line in lines)]


def update_job_status(jid, status):
    """Set the status of a job and record the time of the change. Idempotent.

    Raises UnknownJobError, and ValueError for a change that this module's docstring doesn't list.
    """
    if status not in STATUSES:
        raise ValueError(f"{status!r} is not a status; there are {', '.join(STATUSES)}")
    reply = q.step("update", jid, status)
    if reply is None:
        raise UnknownJobError(f"there is no job {jid}")
    if not reply[1]:
        raise ValueError(f"job {jid} is {reply[0].decode()}; it cannot become {status}")


def start_working():
    """Send this thread's first heartbeat. Raises redis.RedisError if Redis is not available."""
    _consumer().start()


def next_job(finished=None, result=None, plot=b"", **waiting):
    """Finish one job, claim and start the next, in one round trip if the queue is not empty.

    finished: the claimed job, as this function returned it, or its id. result: its result
    (anything that JSON can express), or the exception that it raised. plot: bytes of a PNG.
    waiting: block=False or timeout=seconds, as for HotQueue.get; by default it waits.
    Returns the next job, now "in progress", or None. If the lease ran out and the job was requeued
    meanwhile, finishing it changes nothing.
    """
    consumer = _consumer()
    claimed = consumer.next(*_outcome(consumer, finished, result), plot, **waiting)
    if claimed is None:
        return None
    jid, start, end = claimed
    return _instantiate_job(jid, "in progress", start, end)


def stop_working(finished=None, result=None, plot=b""):
    """Finish a job as next_job() does, claim no other, and requeue a job that isn't finished."""
    consumer = _consumer()
    consumer.close(*_outcome(consumer, finished, result), plot)
    del _thread.consumer


def interrupt():
    """Let this thread's next_job() return None instead of waiting. For a signal handler.

    Raises SystemExit if it waits already.
    """
    _consumer().interrupt()


def _consumer():
    """Return the consumer of this thread. A forked process gets a new one with its own heartbeat."""
    if getattr(_thread, "pid", None) != os.getpid() or not hasattr(_thread, "consumer"):
        _thread.pid, _thread.consumer = os.getpid(), Consumer(q, settings.worker_name())
    return _thread.consumer


def _outcome(consumer, finished, result):
    jid = finished["id"] if isinstance(finished, dict) else finished
    if jid is None or jid != consumer.message:
        return "", ""
    if isinstance(result, Exception):
        return "failed", _error_message(result)
    try:
        return "complete", _encode(result)
    except (TypeError, ValueError) as error:
        return "failed", f"the result is not JSON: {error}"


def _error_message(error):
    kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
    text = f"{kind}{error}"[:1000].strip(": ") or type(error).__name__
    return text.encode(errors="replace").decode()
