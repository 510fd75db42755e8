"""Read a class list as platforms and spreadsheets write it, and match it with the submissions."""

import csv
import io
import re
import unicodedata
from collections import Counter
from pathlib import Path

MOODLE = re.compile(r"_\d+_assignsubmission_(file|onlinetext)_?")  # after a name, for its folders


def read_roster(path, students):
    """Return (header, [(student, cells), ...]) of the roster, or of the students alone.

    Students who are missing there follow at its end. Raises ValueError where it names none of them,
    for then it is the wrong roster.
    """
    if not path:
        return ["student"], [(student, [student]) for student in students]
    header, rows = _table(path)
    known = _names(students)

    def student_of(cell):
        return known.get(cell) or known.get(_normalized(cell))

    matches = [len({student_of(row[n]) for row in rows} - {None}) for n in range(len(header))]
    if not any(matches):
        raise ValueError(
            f"--roster {path}: no column of it holds the names of the submissions, such as "
            f"{next(iter(students))!r}; add one, below a first line with the names of the columns"
        )
    column = matches.index(max(matches))
    listed = [(student_of(row[column]) or row[column], row) for row in rows]
    return header, listed + _unlisted(students, listed, column, len(header))


def _unlisted(students, listed, column, width):
    """Return (student, cells) of the students who are not listed, their names in a column."""
    names, blank = {student for student, _ in listed}, [""] * width
    return [
        (student, [*blank[:column], student, *blank[column + 1 :]])
        for student in students
        if student not in names
    ]


def _names(students):
    """Return {name as a roster may have it: student}, without names that two students share."""
    shared = Counter(map(_normalized, students))
    names = {_normalized(name): name for name in students if shared[_normalized(name)] == 1}
    return names | {name: name for name in students}


def _normalized(name):
    """Return a name in the form in which a roster may have it: not all systems write é alike."""
    return MOODLE.sub("", unicodedata.normalize("NFC", name)).strip()


def _table(path):
    """Return (header, rows) of a CSV file, all of the same length. Raises ValueError."""
    rows = _rows(path)
    width = max(map(len, rows), default=0)  # a comma at the end of some lines is one cell more
    header, *rows = [row + [""] * (width - len(row)) for row in rows] or [[]]
    return header, rows


def _rows(path):
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"--roster {path} is not UTF-8; save it as CSV, in UTF-8") from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)  # spreadsheets write what their country is used to
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [row for row in rows if any(row)]
    except csv.Error as problem:
        raise ValueError(f"--roster {path}, line {rows.line_num}: {problem}") from None
