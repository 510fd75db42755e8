"""Check exercises in a terminal: the commands `jobs-kit check` and `jobs-kit check --watch`."""

import time

from jobs_kit.course.answer_folders import exercises_for
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.progress import ExerciseProgress, first_unfinished, progress_of
from jobs_kit.queue_watch import evidence_file
from jobs_kit.queue_watch.watch import watch_queue

POLL_SECONDS = 0.2


def check(names, place=None):
    """Check these exercises, or all; print the verdicts. Returns 0 if all pass, else 1.

    place: see answer_folder(); "all" are those whose answers can be there.
    """
    names = names or [exercise.id for exercise in exercises_for(place)]
    answers, verdicts = [progress_of(name, place) for name in names], []
    with Judge() as judge:
        for answer in answers:
            verdicts.append(answer.check(judge))
            print(verdicts[-1], end="\n\n", flush=True)
    if len(verdicts) > 1:
        passed = sum(verdict.passed for verdict in verdicts)
        points, most = (
            sum(getattr(v, name) for v in verdicts) for name in ("points", "max_points")
        )
        print(f"{passed} of {len(verdicts)} exercises passed, {points} of {most} points")
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def watch(name=None, place=None):
    """Check an exercise whenever a file of it is saved; go on to the next unfinished one.

    For an exercise in live shells, which leaves no file, it watches the queues meanwhile.

    name: where to begin, else at the first unfinished one. Returns 0 when all have passed.
    """
    exercise = progress_of(name, place).exercise if name else first_unfinished(place)
    with Judge() as judge:
        while exercise:
            _watch_until_it_passes(ExerciseProgress(exercise, place), judge)
            following = first_unfinished(place, after=exercise.id)
            exercise = following if following and following.id != exercise.id else None
            if exercise:
                print(f"\nNext: {exercise.id} ({exercise.title})", flush=True)
    print("\nAll exercises passed.")
    return 0


def _watch_until_it_passes(progress, judge):
    has_files, printed = bool(progress.exercise.files), None
    if not has_files:
        print(watch_queue(progress.folder))
    while True:
        state = _state(progress)
        verdict = progress.check(judge)
        # without files the state changes with each look at the queues
        if has_files or str(verdict) != printed:
            printed = str(verdict)
            _print_verdict(verdict, progress)
        if verdict.passed:
            return
        while _state(progress) == state:
            time.sleep(POLL_SECONDS)


def _print_verdict(verdict, progress):
    print(f"\n{verdict}", flush=True)
    if not verdict.passed:
        task = "save a file" if progress.exercise.files else "type in your shells"
        print(
            f"\nWatching {progress.folder}: {task} to check again, or press Ctrl-C to stop.",
            flush=True,
        )


def _state(progress):
    """Return what changes when a file of the answer is saved, or when a queue changes."""
    if not progress.exercise.files:
        return evidence_file.state(progress.folder)
    return {
        (path.name, path.stat().st_mtime_ns, path.stat().st_size)
        for path in progress.folder.glob("*.py")
        if path.is_file()
    }
