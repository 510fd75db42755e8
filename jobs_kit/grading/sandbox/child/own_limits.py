"""Read the limits of this process and its place among others: what each child inherits.

A program of the same user can change them from outside, and they cannot all be set back.
"""

import contextlib
import ctypes
import os
import resource
from pathlib import Path

PR_GET_TIMERSLACK = 30
IOPRIO_GET = {"x86_64": 252, "aarch64": 31}  # the number of this call to Linux
IOPRIO_PROCESS = 1


def read():
    """Return {name: value} of the limits, niceness, scheduler, processors and the like."""
    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    values = {name: resource.getrlimit(getattr(resource, name)) for name in names}
    values["niceness"] = os.getpriority(os.PRIO_PROCESS, 0)
    with contextlib.suppress(AttributeError, OSError):  # Linux only
        values["scheduler"] = os.sched_getscheduler(0), os.sched_getparam(0).sched_priority
        values["processors"] = sorted(os.sched_getaffinity(0))
        libc = ctypes.CDLL(None)
        values["timer slack"] = libc.prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0)
        if number := IOPRIO_GET.get(os.uname().machine):
            values["disk priority"] = libc.syscall(number, IOPRIO_PROCESS, 0)
        # with no file left to open this fails, and it differs
        values["memory priority"] = Path("/proc/self/oom_score_adj").read_text()
    return values
