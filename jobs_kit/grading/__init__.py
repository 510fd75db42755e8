"""Exercises that check themselves: everything that a check may import.

    from jobs_kit.grading import Exercise, expect, points, service

A check, exercises/<folder>/test_<id>.py, imports nothing else of the kit. The programs of a
submission are passed to it as fixtures (plugin.py): `submission`, `source`, `project`, `api`, `redis`,
`observation`, `note`. Steps that several checks take are in `service` (programs/service.py), and what
a job was between two commands is in `moments` (programs/moments.py).
"""

from jobs_kit.analysis import summarize
from jobs_kit.course.check_files import points
from jobs_kit.course.exercise import Exercise, Shuffled
from jobs_kit.course.gap import Gap, setup_code
from jobs_kit.grading.expectations import (
    CheckError,
    NotAttemptedError,
    NotReachedError,
    expect,
    expect_none,
)
from jobs_kit.grading.programs import addresses, moments, service
from jobs_kit.grading.programs.formats import UUID, jid_of
from jobs_kit.grading.programs.hints import hint_for_not_started
from jobs_kit.grading.programs.queue_observation import observation_of
from jobs_kit.grading.programs.recursion import expect_no_recursion
from jobs_kit.grading.programs.worker_scenario import WorkerScenario, after
from jobs_kit.grading.source.syntax import imports_in, is_blank, is_private
from jobs_kit.grading.text import short

__all__ = [
    "UUID",
    "CheckError",
    "Exercise",
    "Gap",
    "NotAttemptedError",
    "NotReachedError",
    "Shuffled",
    "WorkerScenario",
    "addresses",
    "after",
    "expect",
    "expect_no_recursion",
    "expect_none",
    "hint_for_not_started",
    "imports_in",
    "is_blank",
    "is_private",
    "jid_of",
    "moments",
    "observation_of",
    "points",
    "service",
    "setup_code",
    "short",
    "summarize",
]
