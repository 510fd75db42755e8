import time

import jobs


def execute_job(jid):
    jobs.update_job_status(jid, "in progress")
    time.sleep(5)
    jobs.update_job_status(jid, "complete")


jid = jobs.q.get(block=True)
while True:
    execute_job(jid)
