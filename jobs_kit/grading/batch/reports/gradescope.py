"""Write results.json as Gradescope reads it, for each student."""

import json

from jobs_kit.grading.batch.out_folder import file_name, write_whole
from jobs_kit.grading.batch.reports.check_text import check_text


def write(batch, results):
    """Write gradescope/<student>/results.json; for a single student also results.json.

    results: SubmissionResults.
    """
    (batch.out / "results.json").unlink(missing_ok=True)  # it says that grading has failed
    for result in results:
        text = json.dumps(_report(result), indent=1)
        folder = batch.out / "gradescope" / file_name(result.student)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "results.json", text)
        if len(results) == 1:
            write_whole(batch.out / "results.json", text)


def write_crash(out, problem):
    """Write a results.json that says that grading has failed, because there must always be one."""
    out.mkdir(parents=True, exist_ok=True)
    problem = str(problem) or type(problem).__name__
    output = f"Grading failed: {problem}. Tell your instructor."
    report = {"score": 0, "output": output, "output_format": "text", "tests": []}
    (out / "results.json").write_text(json.dumps(report, indent=1), "utf-8")


def _report(result):
    checks = [(exercise, check) for exercise in result.exercises for check in exercise.checks]
    return {
        "score": result.points,
        "output_format": "text",  # a name or a message of a student is no Markdown and no HTML
        "test_output_format": "text",
        "test_name_format": "text",
        "output": "\n".join([*_not_final(result), *result.remarks]),
        "tests": [_test(exercise, check) for exercise, check in checks],
        "execution_time": result.seconds,
    }


def _not_final(result):
    """Return, as a list, a sentence about exercises at which the kit failed, if there are any."""
    names = ", ".join(result.failed_exercises)
    return [f"Not final: the grader failed at {names}. Tell your instructor."] if names else []


def _test(exercise, check):
    return {
        "name": f"{exercise.id}: {check.claim}",
        "score": check.points,
        "max_score": check.max_points,
        "status": "passed" if check.outcome == "pass" else "failed",
        "output": check_text(check),
        "output_format": "text",
    }
