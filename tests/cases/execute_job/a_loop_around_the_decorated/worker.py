import time

import jobs


@jobs.q.worker
def execute_job(jid):
    jobs.update_job_status(jid, "in progress")
    time.sleep(5)
    jobs.update_job_status(jid, "complete")


for jid in jobs.q.consume():
    execute_job(jid)
