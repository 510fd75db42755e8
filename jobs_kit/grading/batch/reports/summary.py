"""Write summary.html: distribution, hardest checks, commonest mistakes and timings of a class."""

import itertools
import re
import statistics
from collections import Counter

from jobs_kit.grading.batch.out_folder import file_name, write_whole
from jobs_kit.grading.batch.reports.templates import TEMPLATES
from jobs_kit.grading.programs.formats import UUID

HARDEST, COMMONEST, SLOWEST = 15, 25, 5  # so many checks, mistakes, students are shown
JUDGED = ("pass", "fail", "timeout")


def write(batch, results):
    """Write the page for the instructor. results: SubmissionResults."""
    page = TEMPLATES.get_template("summary.html").render(**_content(batch, results))
    write_whole(batch.out / "summary.html", page)


def _content(batch, results):
    """Return {name: value} of the values that the template shows."""
    most = results[0].max_points or 1
    points = [result.points for result in results]
    seconds = [result.seconds for result in results if result.seconds]
    return {
        "results": results,
        "exercises": batch.exercises,
        "containment_measures": batch.containment_measures(),
        "findings": batch.findings(results),
        "most": most,
        "bins": _bins(points, most),
        "median_points": statistics.median(points),
        "hardest": _hardest_checks(results),
        "mistakes": _mistakes(results),
        "short": _short,
        "median_seconds": statistics.median(seconds) if seconds else 0,
        "slowest": sorted(results, key=lambda result: -(result.seconds or 0))[:SLOWEST],
        "file_name": file_name,
    }


def _bins(points, most, number=10):
    """Return [(from, to, how many), ...]: students by their points, both ends included."""
    number = min(number, most + 1)
    edges = [round((most + 1) * n / number) for n in range(number + 1)]
    return [
        (low, high - 1, sum(low <= total < high for total in points))
        for low, high in itertools.pairwise(edges)
    ]


def _hardest_checks(results):
    """Return [(exercise id, claim, outcomes), ...] of checks that the fewest pass, hardest first.

    outcomes: a Counter of the outcomes of all students.
    """
    outcomes, claims = {}, {}
    for exercise, check in _checks_of(results):
        key = exercise.id, check.name
        claims.setdefault(key, check.claim)
        outcomes.setdefault(key, Counter())[check.outcome] += 1
    rates = {}
    for key, counts in outcomes.items():
        judged = sum(counts[outcome] for outcome in JUDGED)
        if counts["pass"] < judged:
            rates[key] = counts["pass"] / judged
    hardest = sorted(rates, key=rates.get)[:HARDEST]
    return [(key[0], claims[key], outcomes[key]) for key in hardest]


def _mistakes(results):
    """Return [(exercise id, check of the first student, students), ...], the commonest first."""
    mistakes = {}
    for result in results:
        for exercise, check in _checks_of([result]):
            if check.outcome in ("fail", "timeout"):
                key = exercise.id, check.name, check.outcome, _kind(check)
                mistakes.setdefault(key, (exercise.id, check, []))[-1].append(result.student)
    return sorted(mistakes.values(), key=lambda mistake: -len(mistake[-1]))[:COMMONEST]


def _checks_of(results):
    for result in results:
        for exercise in result.exercises:
            for check in exercise.checks:
                yield exercise, check


def _kind(check):
    """Return what two students' mistakes have in common: the hint and the name of an exception."""
    found = check.got or check.message or ""
    error = re.search(r"\b[A-Z]\w*(?:Error|Exception|Exit)\b", found)
    return check.hint or re.sub(r"\d+", "N", _short(check)), error and error[0]


def _short(check):
    """Return the first lines of what a check found, without ids."""
    lines = (check.got or check.message or "").strip().splitlines()[:2]
    return UUID.sub("<id>", " ".join(lines))[:120]
