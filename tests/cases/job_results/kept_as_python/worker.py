from jobs import get_job, q, save_result, update_job_status
from weather import report


def execute_job(jid):
    update_job_status(jid, "in progress")
    save_result(jid, report(get_job(jid)))
    update_job_status(jid, "complete")


while True:
    execute_job(q.get(block=True))
