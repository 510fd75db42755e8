"""Take ids off the queue, do the jobs, and say how they ended."""

import analysis
import jobs


def main():
    for jid in jobs.q.consume():
        if (job := jobs.get_job(jid)) is None:
            print("ignored:", jid)
            continue
        jobs.update_job_status(jid, "in progress")
        try:
            jobs.save_result(jid, analysis.summarize(job["start"], job["end"]))
            jobs.update_job_status(jid, "complete")
        except Exception as error:
            jobs.fail_job(jid, repr(error))


if __name__ == "__main__":
    main()
