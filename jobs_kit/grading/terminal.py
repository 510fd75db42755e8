"""How are exercises checked and classes graded in a terminal? What the commands print."""

import datetime
import time
from pathlib import Path

from jobs_kit.course.exercise import all_exercises, find_exercise
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.progress import ExerciseProgress, first_unfinished
from jobs_kit.queue_watch import evidence_file
from jobs_kit.queue_watch.watch import watch_queue

POLL_SECONDS = 0.2


def check(names, place=None):
    """Check these exercises, or all; print the verdicts. Returns 0 if all pass, else 1."""
    exercises = [find_exercise(name) for name in names] or list(all_exercises().values())
    verdicts = []
    with Judge() as judge:
        for exercise in exercises:
            verdicts.append(ExerciseProgress(exercise, place).check(judge))
            print(verdicts[-1], end="\n\n", flush=True)
    if len(verdicts) > 1:
        passed = sum(verdict.passed for verdict in verdicts)
        points = [sum(getattr(v, name) for v in verdicts) for name in ("points", "max_points")]
        print(f"{passed} of {len(verdicts)} exercises pass, {points[0]} of {points[1]} points")
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def watch(name=None, place=None):
    """Check an exercise whenever a file of it is saved; go on to the next unfinished one.

    For an exercise in live shells, which leaves no file, it watches the queues meanwhile.

    name: where to begin, else at the first unfinished one. Returns 0 when all have passed.
    """
    exercise = find_exercise(name) if name else first_unfinished(place)
    with Judge() as judge:
        while exercise:
            _watch_until_it_passes(exercise, place, judge)
            following = first_unfinished(place, after=exercise.id)
            exercise = following if following and following.id != exercise.id else None
            if exercise:
                print(f"\nNext: {exercise.id} ({exercise.title})", flush=True)
    print("\nAll exercises have passed.")
    return 0


def _watch_until_it_passes(exercise, place, judge):
    desk, shown = ExerciseProgress(exercise, place), None
    what = "save a file" if exercise.files else "work in your shells"
    if not exercise.files:
        print(watch_queue(desk.folder))
    while True:
        seen = _saved(desk)
        verdict = desk.check(judge)
        if (
            exercise.files or str(verdict) != shown
        ):  # what is seen of the queues changes all the time
            print(f"\n{verdict}", flush=True)
            shown = str(verdict)
            if not verdict.passed:
                print(
                    f"\nWatching {desk.folder}: {what}, and it checks again. Ctrl-C ends.",
                    flush=True,
                )
        if verdict.passed:
            return
        while _saved(desk) == seen:
            time.sleep(POLL_SECONDS)


def grade(options):
    """Grade a folder of submissions as the command's options say. Returns 0; see grade.py."""
    from tqdm import tqdm

    from jobs_kit.grading.batch import reports
    from jobs_kit.grading.batch.batch import Batch, require_a_place_of_its_own
    from jobs_kit.grading.unjudged import failed_of

    out = Path(options.out)
    require_a_place_of_its_own(out, Path(options.submissions))
    if options.gradescope:
        reports.write_gradescope_crash(out, "it did not come to its end")
    try:
        batch = Batch(
            options.submissions,
            out,
            exercises=options.exercise,
            jobs=options.jobs,
            hidden=options.hidden,
            contained=not options.uncontained,
            only=options.only,
            since=_moment(options.since),
            roster=options.roster,
            gradescope=options.gradescope,
        )
        print("Student code is held back by", "; ".join(batch.containment_measures()), flush=True)
        if Path(options.submissions).resolve() in batch.students.values():
            print("The files of an answer lie in it, so it is graded as one student", flush=True)
        if batch.ignored_files:
            shown = ", ".join(batch.ignored_files[:5]) + (
                ", …" if len(batch.ignored_files) > 5 else ""
            )
            print(
                f"Left aside, for a student is a folder or a zip file here: {shown} "
                f"({len(batch.ignored_files)} in all)",
                flush=True,
            )
        with tqdm(total=len(batch.students), unit="student", disable=None) as bar:

            def told(result, seconds):
                took = "as before" if seconds is None else f"{seconds:.1f} s"
                points = f"{result['total']:g} of {result['max']:g} points"
                bar.write(f"{result['student']}: {points} ({took})")
                bar.update()

            results = batch.run(told)
    except BaseException as problem:
        if options.gradescope:
            reports.write_gradescope_crash(out, problem)
        raise
    failed = [
        f"{one['student']} ({', '.join(failed_of(one))})" for one in results if failed_of(one)
    ]
    if failed:
        print(
            f"The kit itself failed, so no points are final, for {', '.join(failed)}: "
            "the same command tries again"
        )
    print(f"{out / 'grades.csv'}, {out / 'summary.html'}, and {out / 'feedback'} for the students")
    return 0


def _moment(text):
    """Return a day, or a moment, as seconds since 1970; 0 for None."""
    try:
        return datetime.datetime.fromisoformat(text).timestamp() if text is not None else 0
    except (ValueError, OverflowError):
        raise ValueError(
            f"--since {text}: write a day as 2026-11-24, or 2026-11-24T18:00"
        ) from None


def _saved(desk):
    """Return what changes when a file of the answer is saved, or when more was seen of queues."""
    if not desk.exercise.files:
        return evidence_file.state(desk.folder)
    return {
        (path.name, path.stat().st_mtime_ns, path.stat().st_size)
        for path in desk.folder.glob("*.py")
        if path.is_file()
    }
