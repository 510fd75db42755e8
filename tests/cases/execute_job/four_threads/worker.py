import threading
import time

import jobs


def execute_job(jid):
    jobs.update_job_status(jid, "in progress")
    time.sleep(5)
    jobs.update_job_status(jid, "complete")


def loop():
    for jid in jobs.q.consume():
        execute_job(jid)


threads = [threading.Thread(target=loop) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
