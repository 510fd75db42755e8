"""Take the id of a job off the queue, do the job, store its result."""
### BEGIN SOLUTION execute_job
### BEGIN SOLUTION job_results
### | 
### | import time
### END SOLUTION
### END SOLUTION
### BEGIN SOLUTION imports

### BEGIN SOLUTION job_results
import analysis
### END SOLUTION
import jobs
### END SOLUTION
### BEGIN SOLUTION modules


### BEGIN SOLUTION execute_job
### | # the decorator that makes this a worker of the queue is missing
@jobs.q.worker
### END SOLUTION
def execute_job(jid):
    """Do the job with this id."""
    ### BEGIN SOLUTION execute_job
    ### BEGIN SOLUTION failing_job
    ### | jobs.update_job_status(jid, "in progress")
    ### | _work(jid)
    ### | jobs.update_job_status(jid, "complete")
    try:
        jobs.update_job_status(jid, "in progress")
    except KeyError:
        print("no such job:", jid)
        return
    try:
        _work(jid)
    except Exception as error:  # whatever a job raises, the next one wants a worker
        jobs.fail_job(jid, str(error))
    else:
        jobs.update_job_status(jid, "complete")
    ### END SOLUTION
    ### END SOLUTION
### END SOLUTION
### BEGIN SOLUTION execute_job


def _work(jid):
    ### BEGIN SOLUTION job_results
    ### | time.sleep(5)  # a stand-in; the real work comes later
    job = jobs.get_job(jid)
    jobs.save_result(jid, analysis.summarize(job["start"], job["end"]))
    ### END SOLUTION


if __name__ == "__main__":
    execute_job()
### END SOLUTION
