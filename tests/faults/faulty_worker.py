"""A worker with quick work, a wrong clock, and a weakness: poison kills it.

argv: seconds by which its clock is wrong; the start of a job that is poison.
"""

import os
import signal
import sys
import time

skew, poison = int(sys.argv[1]), sys.argv[2]
real_time = time.time
time.time = lambda: real_time() + skew

from jobs_kit import worker  # noqa: E402


def execute_job(job):
    """Do nothing for a few milliseconds, or die."""
    if job["start"] == poison:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.002)
    return {"result": {"days": 1}}


worker.execute_job = execute_job
worker.work()
