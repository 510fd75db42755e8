import time

import jobs


class Worker:
    def __init__(self, queue):
        self.queue = queue

    def execute_job(self, jid):
        jobs.update_job_status(jid, "in progress")
        time.sleep(5)
        jobs.update_job_status(jid, "complete")

    def run(self):
        for jid in self.queue.consume():
            self.execute_job(jid)


if __name__ == "__main__":
    Worker(jobs.q).run()
