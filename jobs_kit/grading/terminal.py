"""How are exercises checked in a terminal? What `jobs-kit check` prints, and how it watches."""

import time

from jobs_kit.grading.exercise import all_exercises, find_exercise
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.progress import Desk, first_unfinished

POLL_SECONDS = 0.2


def check(names, place=None):
    """Check these exercises, or all; print the verdicts. Returns 0 if all pass, else 1."""
    exercises = [find_exercise(name) for name in names] or list(all_exercises().values())
    verdicts = []
    with Judge() as judge:
        for exercise in exercises:
            verdicts.append(Desk(exercise, place).check(judge))
            print(verdicts[-1], end="\n\n", flush=True)
    if len(verdicts) > 1:
        passed = sum(verdict.passed for verdict in verdicts)
        points = [sum(getattr(v, name) for v in verdicts) for name in ("points", "max_points")]
        print(f"{passed} of {len(verdicts)} exercises pass, {points[0]} of {points[1]} points")
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def watch(name=None, place=None):
    """Check an exercise whenever a file of it is saved; go on to the next unfinished one.

    name: where to begin, else at the first unfinished one. Returns 0 when all have passed.
    """
    exercise = find_exercise(name) if name else first_unfinished(place)
    with Judge() as judge:
        while exercise:
            desk = Desk(exercise, place)
            seen = _saved(desk)
            verdict = desk.check(judge)
            print(f"\n{verdict}", flush=True)
            if verdict.passed:
                following = first_unfinished(place, after=exercise.id)
                exercise = following if following and following.id != exercise.id else None
                if exercise:
                    print(f"\nNext: {exercise.id} ({exercise.title})", flush=True)
                continue
            print(f"\nWatching {desk.folder}; save a file to check again, Ctrl-C ends.", flush=True)
            while _saved(desk) == seen:
                time.sleep(POLL_SECONDS)
    print("\nAll exercises have passed.")
    return 0


def _saved(desk):
    """Return what changes when a file of the answer is saved, made or removed."""
    return {
        (path.name, path.stat().st_mtime_ns, path.stat().st_size)
        for path in desk.folder.glob("*.py")
        if path.is_file()
    }
