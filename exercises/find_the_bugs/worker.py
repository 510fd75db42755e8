"""The worker: it takes jobs from the queue and executes them, one after the other."""

from jobs import q, update_job_status


@q.worker
def execute_job(jid):
    """Execute the job with this id."""
    jobs.update_job_status(jid, "in progress")
    time.sleep(5)  # a stand-in: the analysis takes about as long
    jobs.update_job_status(jid, "complete")
