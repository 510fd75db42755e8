import time
from jobs import *
import jobs


def execute_job(jid):
    jobs.update_job_status(jid, status="in progress")
    time.sleep(3)
    jobs.update_job_status(jid, status="complete")


def main():
    for jid in q.consume():
        execute_job(jid)


if __name__ == "__main__":
    main()
