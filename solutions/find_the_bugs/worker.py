"""The worker: it takes jobs from the queue and executes them, one after the other."""
### BEGIN SOLUTION defect_09
### |
### | from jobs import q, update_job_status

import time

import jobs
### END SOLUTION


### BEGIN SOLUTION defect_09
### | @q.worker
@jobs.q.worker
### END SOLUTION
def execute_job(jid):
    """Execute the job with this id."""
    jobs.update_job_status(jid, "in progress")
    time.sleep(5)  # a stand-in: the analysis takes about as long
    jobs.update_job_status(jid, "complete")
### BEGIN SOLUTION defect_10


if __name__ == "__main__":
    execute_job()
### END SOLUTION
