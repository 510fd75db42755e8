import time

from jobs import q, update_job_status


def main():
    for jid in q.consume():
        update_job_status(jid, "in progress")
        time.sleep(10)
        update_job_status(jid, "complete")


main()
