"""Exercises that check themselves: what a test of an exercise imports.

    from jobs_kit.grading import Exercise, expect, points

The tests stand beside the starters, in exercises/<folder>/test_<id>.py. plugin.py runs them,
student.py is what they do with an answer, verdict.py what is said of it.
"""

from jobs_kit.course.exercise import Exercise, Shuffled
from jobs_kit.course.gap import Gap, setup_code
from jobs_kit.grading.check_files import points
from jobs_kit.grading.expectations import (
    CheckError,
    NotAttemptedError,
    NotReachedError,
    TimedOutError,
    expect,
)

__all__ = [
    "CheckError",
    "Exercise",
    "Gap",
    "NotAttemptedError",
    "NotReachedError",
    "Shuffled",
    "TimedOutError",
    "expect",
    "points",
    "setup_code",
]
