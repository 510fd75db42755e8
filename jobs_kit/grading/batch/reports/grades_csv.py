"""Write grades.csv: a row for each student, a column for each exercise, `total` and `max`.

A class list keeps its columns, rows and form. A cell that a spreadsheet would take for a formula gets
an apostrophe, because students choose names. A cell stays as it is where the formula only keeps
digits together (="0047") or where there is nothing to run (-1.5, a telephone number, Moodle's "-").
"""

from jobs_kit.grading.batch.out_folder import write_whole
from jobs_kit.grading.batch.rosters import harmless


def write(batch, results):
    """Write grades.csv, with the columns and rows of the roster. results: SubmissionResults."""
    roster = batch.class_list.roster
    columns = [*(one.id for one in batch.exercises), "total", "max"]
    earlier = columns if roster.header[-2:] == ["total", "max"] else []  # it was a grades.csv
    kept = [number for number, name in enumerate(roster.header) if name not in earlier]
    added = [] if "student" in roster.header else ["student"]
    lines = [[*(roster.header[number] for number in kept), *added, *columns]]
    for cells, student, grades in _rows(batch.class_list, results):
        lines.append([*(cells[number] for number in kept), *(student for _ in added), *grades])
    header, *rows = [[harmless(str(cell)) for cell in line] for line in lines]
    write_whole(batch.out / "grades.csv", roster.text(header, rows))


def _rows(class_list, results):
    """Yield (cells of the roster, student, grades) of each row, and of each submission in none."""
    grades = {result.student: _grades(result) for result in results}
    for number, cells in enumerate(class_list.roster.rows):
        student = class_list.students.get(number)
        if student:
            yield cells, student, grades[student]
        elif number in class_list.maximum:
            yield cells, "", _maximum(results[0])
        elif number in class_list.absent:
            yield cells, class_list.name_of_absent(number), _nothing(results[0])
        else:  # a line that is of no student
            yield cells, "", [""] * len(_nothing(results[0]))
    for student in class_list.unlisted:
        yield class_list.new_row(student), student, grades[student]


def _grades(result):
    return [*map(_cell, result.exercises), result.points, result.max_points]


def _nothing(result):
    """Return the grades of a student without a submission."""
    return [*(0 for _ in result.exercises), 0, result.max_points]


def _maximum(result):
    """Return the points that can be reached."""
    most = [exercise.max_points for exercise in result.exercises]
    return [*most, result.max_points, result.max_points]


def _cell(exercise):
    if exercise.max_points:
        return exercise.points
    return "recorded" if exercise.outcome == "pass" else "missing"
