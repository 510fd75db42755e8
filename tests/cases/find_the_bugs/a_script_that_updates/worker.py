from time import sleep

from jobs import queue, update_job_status


def execute_job(jid):
    update_job_status(jid, "in progress")
    sleep(5)
    update_job_status(jid, "complete")


while True:
    jid = queue().get(block=True, timeout=10)
    if jid:
        execute_job(jid)
