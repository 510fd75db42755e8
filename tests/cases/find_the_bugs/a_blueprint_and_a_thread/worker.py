import threading
import time
import traceback

from jobs import q, update_job_status


def execute_job(jid):
    update_job_status(jid, "in progress")
    time.sleep(5)
    update_job_status(jid, "complete")


def work():
    for jid in q.consume():
        try:
            execute_job(jid)
        except Exception:
            traceback.print_exc()


thread = threading.Thread(target=work)
thread.start()
thread.join()
