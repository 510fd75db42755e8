import traceback

import jobs
from analysis import summarize


@jobs.q.worker
def execute_job(jid):
    job = jobs.get_job(jid)
    if not job:
        print("unknown id", jid)
    else:
        try:
            jobs.update_job_status(jid, "in progress")
            result = summarize(job["start"], job["end"])
            jobs.save_result(jid, result)
            jobs.update_job_status(jid, "complete")
        except BaseException:
            jobs.fail_job(jid, traceback.format_exc())


execute_job()
