import time

import jobs


def execute_job(jid):
    jobs.update_job_status(jid, "in progress")
    time.sleep(5)
    jobs.update_job_status(jid, "complete")


while True:
    for key in jobs.rd.keys("job.*"):
        if jobs.rd.hget(key, "status") == b"submitted":
            execute_job(key.decode().removeprefix("job."))
    time.sleep(1)
