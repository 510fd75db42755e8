import time

from jobs import update_job_status
from store import q


@q.worker
def execute_job(jid):
    update_job_status(jid, "in progress")
    time.sleep(1)
    update_job_status(jid, "complete")


execute_job()
