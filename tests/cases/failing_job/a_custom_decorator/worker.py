import functools
import logging

import analysis
import jobs


def survive(function):
    @functools.wraps(function)
    def wrapper(jid):
        try:
            return function(jid)
        except KeyError:
            logging.exception("job %s", jid)
        except Exception as error:
            logging.exception("job %s", jid)
            jobs.rd.hset("job." + jid, mapping={"message": repr(error), "status": "failed"})

    return wrapper


@jobs.q.worker(timeout=60)
@survive
def execute_job(jid):
    jobs.update_job_status(jid, "in progress")
    job = jobs.get_job(jid)
    jobs.save_result(jid, analysis.summarize(job["start"], job["end"]))
    jobs.update_job_status(jid, "complete")


if __name__ == "__main__":
    while True:
        execute_job()
