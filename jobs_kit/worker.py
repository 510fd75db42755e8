"""The worker: claim a job, do its work, store its result, and go on with the next.

`python -m jobs_kit.worker` starts one worker. Start as many as you like, on as many machines.
"""

import logging
import signal
import time

from redis import RedisError

from jobs_kit import analysis, settings
from jobs_kit.jobs import interrupt, next_job, start_working, stop_working
from jobs_kit.queues import Outage, is_temporary

log = logging.getLogger(__name__)


def execute_job(job):
    """Do the work of a job (a dict); return its outcome: {"result": ..., "plot": ...}.

    If the work fails, the result is the exception: it ends the job, not the worker.
    """
    begun = time.monotonic()
    log.info("job %s in progress", job["id"])
    try:
        outcome = {
            "result": analysis.summarize(job["start"], job["end"]),
            "plot": analysis.plot(job["start"], job["end"]),
        }
    except Exception as error:  # any error may come from a job, and none may end the worker
        outcome = {"result": error}
    time.sleep(max(0, begun + settings.job_seconds() - time.monotonic()))
    failed = isinstance(outcome["result"], Exception)
    status = f"failed: {outcome['result']}" if failed else "complete"
    log.info("job %s %s (%.2f s)", job["id"], status, time.monotonic() - begun)
    return outcome


def work(burst=False):
    """Do jobs until SIGTERM or Ctrl-C. The current job ends first, unless a second signal comes.

    burst: return when the queue is empty. If Redis goes away or is full or busy, the worker waits.
    """
    log_format = f"%(asctime)s {settings.worker_name()} %(message)s"
    logging.basicConfig(level=logging.INFO, format=log_format)
    signals = _collect_signals()
    _wait_for_redis(signals)
    outcome = {}
    try:
        while not signals:
            job = next_job(**outcome, block=not burst)
            outcome = {}
            if job is None:
                break
            if not signals:
                outcome = {"finished": job} | execute_job(job)
    finally:
        _stop(outcome)


def _collect_signals():
    """Return a list that gets the number of the first SIGTERM or SIGINT, which stops next_job()."""
    signals = []

    def stop(number, frame):
        signal.signal(number, signal.SIG_DFL)  # a second signal ends the process at once
        signals.append(number)
        interrupt()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return signals


def _stop(outcome):
    outage = Outage(" for the outcome of the last job")
    while True:
        try:
            stop_working(**outcome)
            break
        except RedisError as error:
            if not outcome:  # there is no job to finish, and the lease ends without our help
                break
            if not is_temporary(error):
                raise
            outage.warn(error)
            time.sleep(0.5)
    log.info("ends")


def _wait_for_redis(signals):
    """Wait until Redis takes the first step of this worker; from then on next_job() waits."""
    url = settings.without_password(settings.redis_url())
    outage = Outage(f" at {url}")
    while not signals:
        try:
            start_working()
            log.info("waits for jobs at %s", url)
            return
        except RedisError as error:
            if not is_temporary(error):
                raise
            outage.warn(error)
            time.sleep(1)


if __name__ == "__main__":
    work()
