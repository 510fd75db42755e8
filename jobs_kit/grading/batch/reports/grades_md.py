"""Write grades.md: a table for each student, for pages that show Markdown, as GitHub's do."""

import re

from jobs_kit.grading.batch.out_folder import write_whole


def write(batch, results):
    """Write grades.md. results: SubmissionResults."""
    write_whole(batch.out / "grades.md", "\n".join(map(_section, results)))


def _section(result):
    lines = [f"### {_plain(result.student)}: {result.points:g} of {result.max_points:g} points", ""]
    lines += ["| exercise | points | first to fix |", "|---|---|---|"]
    lines += [_row(exercise) for exercise in result.exercises]
    lines += ["", *(f"- {_plain(remark)}" for remark in result.remarks)]
    return "\n".join([*lines, ""])


def _row(exercise):
    failed = next((check for check in exercise.checks if check.outcome != "pass"), None)
    first = _plain(f"{failed.claim} ({failed.outcome})") if failed else ""
    return f"| {exercise.id} | {exercise.points:g} of {exercise.max_points:g} | {first} |"


def _plain(text):
    """Return text that Markdown and HTML show as it is: students choose names."""
    return re.sub(r"[^\w\s]|_", lambda match: f"&#{ord(match[0])};", " ".join(text.split()))
