import logging
import time

import jobs

logging.basicConfig(level=logging.INFO)


def execute_job(message):
    jid = message["id"]
    logging.info("job %s", jid)
    for status in "in progress", "complete":
        jobs.update_job_status(jid, status)
        time.sleep(1)


if __name__ == "__main__":
    jobs.q.worker(execute_job)()
