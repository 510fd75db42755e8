import analysis
import jobs


def execute_job(jid):
    job = jobs.get_job(jid)
    if job is None:
        jobs.rd.rpush("unknown", jid)
        return
    jobs.update_job_status(jid, "in progress")
    try:
        result = analysis.summarize(job["start"], job["end"])
    except Exception as error:
        jobs.rd.hset("errors", jid, f"{jid}: {error!r}")
        jobs.update_job_status(jid, "failed")
        return
    jobs.save_result(jid, result)
    jobs.update_job_status(jid, "complete")


if __name__ == "__main__":
    for jid in jobs.q.consume():
        execute_job(jid)
