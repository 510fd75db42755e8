from multiprocessing import Process
from time import sleep

import jobs


@jobs.q.worker
def execute_job(jid):
    jobs.update_job_status(jid, "in progress")
    sleep(5)
    jobs.update_job_status(jid, "complete")


if __name__ == "__main__":
    helpers = [Process(target=execute_job) for _ in range(2)]
    for helper in helpers:
        helper.start()
    for helper in helpers:
        helper.join()
