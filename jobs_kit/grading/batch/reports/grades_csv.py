"""Write grades.csv: a row for each student, a column for each exercise, `total` and `max`."""

import csv
import io
import re

from jobs_kit.grading.batch.out_folder import write_whole
from jobs_kit.grading.batch.rosters import read_roster

NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?", re.ASCII)


def write(batch, results):
    """Write grades.csv, with the columns and rows of the roster. results: SubmissionResults."""
    columns = [*(exercise.id for exercise in batch.exercises), "total", "max"]
    header, listed = read_roster(batch.roster, [result.student for result in results])
    # the roster may be an earlier grades.csv
    kept = [number for number, name in enumerate(header) if name not in columns]
    header = [header[number] for number in kept]
    name_column = [] if "student" in header else ["student"]
    by_student = {result.student: result for result in results}
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*header, *name_column, *columns])
    for student, cells in listed:
        cells = [cells[number] for number in kept] + [student for _ in name_column]
        grades = _grades(by_student.get(student), batch, results)
        writer.writerow([*map(_harmless, cells), *grades])
    write_whole(batch.out / "grades.csv", text.getvalue())


def _grades(result, batch, results):
    """Return the cells of a SubmissionResult, or of a student who handed nothing in (None)."""
    if result:
        return [*map(_cell, result.exercises), result.points, result.max_points]
    most = results[0].max_points if results else 0
    return ["0"] * len(batch.exercises) + [0, most]


def _cell(exercise):
    if exercise.max_points:
        return exercise.points
    return "recorded" if exercise.outcome == "pass" else "missing"


def _harmless(cell):
    """Return a cell that no spreadsheet takes for a formula."""
    if NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
