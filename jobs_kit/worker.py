"""Take an id, do the work, write the result; then the next one.

`python -m jobs_kit.worker` starts one worker. Start as many as you like, on as many machines.
"""

import logging
import signal
import time

from jobs_kit import analysis, settings
from jobs_kit.jobs import interrupt, next_job, rd, stop_working
from jobs_kit.queues import DOWN

log = logging.getLogger(__name__)


def execute_job(job):
    """Do the work of a job (a dict); return what came of it: {"result": ..., "plot": ...}.

    The result is the error itself when the work fails: that ends the job and not the worker.
    """
    begun = time.monotonic()
    log.info("job %s in progress", job["id"])
    try:
        outcome = {
            "result": analysis.summarize(job["start"], job["end"]),
            "plot": analysis.plot(job["start"], job["end"]),
        }
    except Exception as error:  # whatever the job raises, the next job wants a worker
        outcome = {"result": error}
    time.sleep(max(0, begun + settings.job_seconds() - time.monotonic()))
    failed = isinstance(outcome["result"], Exception)
    status = f"failed: {outcome['result']}" if failed else "complete"
    log.info("job %s %s (%.2f s)", job["id"], status, time.monotonic() - begun)
    return outcome


def work(burst=False):
    """Do jobs until SIGTERM or Ctrl-C, which let the job in hand end first; a second one does not.

    burst: return when the queue is empty. Survives a Redis that goes away and comes back.
    """
    form = f"%(asctime)s {settings.worker_name()} %(message)s"
    logging.basicConfig(level=logging.INFO, format=form)
    signals = []

    def stop(number, frame):
        signal.signal(number, signal.SIG_DFL)  # the second one ends us at once
        signals.append(number)
        interrupt()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    _wait_for_redis(signals)
    done = {}
    try:
        while not signals:
            job = next_job(**done, block=not burst)
            done = {}
            if job is None:
                break
            if not signals:
                done = {"finished": job} | execute_job(job)
    finally:
        _leave(done)


def _leave(done):
    while True:
        try:
            stop_working(**done)
            break
        except DOWN as fault:
            if not done:  # nothing is lost: our lease runs out by itself
                break
            log.warning("Redis does not answer (%s); trying again to say what is done", fault)
            time.sleep(0.5)
    log.info("ends")


def _wait_for_redis(signals):
    shown = settings.without_password(settings.redis_url())
    while not signals:
        try:
            rd.ping()
            log.info("waits for jobs at %s", shown)
            return
        except DOWN as fault:
            log.warning("no Redis at %s (%s); trying again", shown, fault)
            time.sleep(1)


if __name__ == "__main__":
    work()
