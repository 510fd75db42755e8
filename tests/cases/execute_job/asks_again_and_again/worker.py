import time

import jobs


def execute_job(jid):
    jobs.update_job_status(jid, "in progress")
    time.sleep(1)
    jobs.update_job_status(jid, "complete")


while True:
    if len(jobs.q) == 0:
        time.sleep(0.05)
        continue
    jid = jobs.q.get()
    if jid:
        execute_job(jid)
