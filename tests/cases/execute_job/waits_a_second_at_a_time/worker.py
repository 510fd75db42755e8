import logging
import time

import jobs

logging.basicConfig(level=logging.INFO)


@jobs.q.worker(timeout=1)
def execute_job(jid):
    jobs.update_job_status(jid, "in progress")
    logging.info("doing %s", jid)
    time.sleep(2)
    jobs.update_job_status(jid, "complete")


while True:
    execute_job()
