"""Decide how many judges this machine can run at once."""

import math
import os

from jobs_kit.grading import cgroups
from jobs_kit.grading.limits import JUDGE_MEMORY_BYTES

JUDGES_PER_PROCESSOR = 3  # a judge waits for two thirds of its time


def most_judges():
    """Return how many judges the processors and the memory of this process allow, at least 1."""
    by_processors = math.ceil(JUDGES_PER_PROCESSOR * min(_processors(), cgroups.processors()))
    by_memory = min(_memory(), cgroups.memory()) // JUDGE_MEMORY_BYTES
    return int(max(1, min(by_processors, by_memory)))


def _processors():
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
