"""The worker."""
from time import sleep

from jobs import q, update_job_status


@q.worker
def execute_job(jid):
    update_job_status(jid, "in progress")
    sleep(12)
    update_job_status(jid, "complete")


execute_job()
