import logging
from concurrent.futures import ThreadPoolExecutor

import analysis
import jobs

logging.basicConfig(level=logging.INFO)


def execute_job(jid):
    try:
        jobs.update_job_status(jid, "in progress")
    except KeyError:
        logging.warning("no such job: %s", jid)
        return
    try:
        job = jobs.get_job(jid)
        jobs.save_result(jid, analysis.summarize(job["start"], job["end"]))
    except Exception as error:
        logging.exception("job %s failed", jid)
        jobs.rd.hset(f"job.{jid}", "error", repr(error))
        jobs.update_job_status(jid, "failed")
    else:
        jobs.update_job_status(jid, "complete")


def main():
    with ThreadPoolExecutor(max_workers=2) as pool:
        for jid in jobs.q.consume():
            pool.submit(execute_job, jid)


if __name__ == "__main__":
    main()
