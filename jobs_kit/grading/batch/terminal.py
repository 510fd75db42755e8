"""Grade a class in a terminal: the command `jobs-kit grade`."""

import datetime
from pathlib import Path

from tqdm import tqdm

from jobs_kit.grading.batch.batch import Batch
from jobs_kit.grading.batch.out_folder import require_separate
from jobs_kit.grading.batch.reports import gradescope
from jobs_kit.grading.batch.uploads import class_folder


def grade(options):
    """Grade a folder of submissions as the command's options say; print how it goes.

    Returns 0, or 1 where the kit failed. Raises what Batch raises.
    """
    out = Path(options.out)
    require_separate(out, Path(options.submissions))
    if options.gradescope:
        gradescope.write_crash(out, "it did not finish")
    try:
        batch = _batch(options, out)
        _print_start(batch)
        results = _run(batch)
    except BaseException as problem:
        if options.gradescope:
            gradescope.write_crash(out, problem)
        raise
    return _print_end(batch, results)


def _batch(options, out):
    return Batch(
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
        allow=options.allow,
        single=options.single,
    )


def _print_start(batch):
    print("Student code is restricted by", "; ".join(batch.containment_measures()), flush=True)
    if batch.single:
        return
    if any(one.paths == {"": batch.place.resolve()} for one in batch.students.values()):
        print("The folder itself contains an answer, so it is graded as one student", flush=True)
    folder = class_folder(batch.place)
    if folder != batch.place.resolve():
        print(f"The class is in {folder}: each folder or zip file there is a student", flush=True)
    if batch.ignored_files:
        names = ", ".join(batch.ignored_files[:5])
        names += ", …" if len(batch.ignored_files) > 5 else ""
        print(
            f"Ignored, because each student needs a folder or a zip file: {names} ("
            f"{len(batch.ignored_files)} in all)",
            flush=True,
        )


def _run(batch):
    with tqdm(total=len(batch.students), unit="student", disable=None) as bar:

        def print_result(result, why_kept):
            points = f"{result.points:g} of {result.max_points:g} points"
            bar.write(f"{result.student}: {points} ({why_kept or f'{result.seconds:.1f} s'})")
            bar.update()

        return batch.run(print_result)


def _print_end(batch, results):
    """Print where the grades are, and whose are not final; return the command's exit code."""
    failed = [
        f"{result.student} ({', '.join(result.failed_exercises)})"
        for result in results
        if result.failed_exercises
    ]
    if failed:
        print(_explanation(failed, results))
    for finding in batch.findings(results):
        print(finding)
    out = batch.out
    print(f"Written: {out / 'grades.csv'}")
    print(f"         {out / 'summary.html'}, about the class")
    print(f"         {out / 'feedback'}, with a page for each student")
    return 1 if failed else 0


def _explanation(failed, results):
    """Return why points are not final, and what to do. failed: names of students and exercises."""
    checks = (check for result in results for one in result.exercises for check in one.checks)
    errors = [check for check in checks if check.outcome == "error"]
    faults = dict.fromkeys(check.message for check in errors if check.in_hidden_check)
    reasons = [check.message for check in errors if not check.in_hidden_check]
    if not reasons:
        return f"Not final: the points of {', '.join(failed)}. {'. '.join(faults)}"
    return (
        f"The kit failed while grading {', '.join(failed)}, so these points are not "
        f"final. The first reason: {reasons[0]}. {'. '.join([*faults, 'Run the same command again'])}"
    )


def _moment(text):
    """Return a day, or a moment, as seconds since 1970; 0 for None."""
    try:
        return datetime.datetime.fromisoformat(text).timestamp() if text is not None else 0
    except (ValueError, OverflowError):
        raise ValueError(
            f"--since {text}: write a day as 2026-11-24, or 2026-11-24T18:00"
        ) from None
