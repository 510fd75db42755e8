"""Match each row of a roster with the submission of its student.

By the platform's id where there is one, else by the login, else by the name, and only where it can
be no other. What matches nothing is listed: it must never look like a zero.
"""

from collections import Counter
from dataclasses import dataclass, field

from jobs_kit.grading.batch.roster_columns import (
    group_columns,
    id_columns,
    id_form,
    id_forms,
    login_columns,
    login_form,
    mailbox_form,
    name_columns,
    name_forms,
    plain_name_forms,
    row_name,
)
from jobs_kit.grading.batch.rosters import Roster, read_roster
from jobs_kit.grading.batch.uploads import one_line

MAXIMUM = "points possible"  # Canvas's row for the points that can be reached


@dataclass
class ClassList:
    """A Roster, and the submissions of its rows.

    students: {number of a row: name of its student's submission}. maximum: the numbers of rows for
    the points that can be reached. absent: {number of a row: name of a student without submission}.
    doubtful: {number of a row that several submissions, or another row's, could be of: name}.
    unlisted: {name of a submission that is in no row: why, or ""}. column: the column that holds
    names of submissions, or None.
    """

    roster: Roster
    students: dict = field(default_factory=dict)
    maximum: set = field(default_factory=set)
    absent: dict = field(default_factory=dict)
    doubtful: dict = field(default_factory=dict)
    unlisted: dict = field(default_factory=dict)
    column: int | None = None

    def name_of_absent(self, row):
        """Return the name of a student without submission for the column of submissions."""
        in_column = self.column is not None and self.roster.rows[row][self.column]
        return in_column or self.absent[row]

    def new_row(self, student):
        """Return the cells of a row for a submission that is in none."""
        names = self.roster.header
        column = names.index("student") if "student" in names else self.column
        return [student if number == column else "" for number in range(len(names))]

    def findings(self):
        """Return lines about the rows and submissions that did not match, for the instructor."""
        unlisted = [f"{name} ({why})" if why else name for name, why in self.unlisted.items()]
        lines = []
        if unlisted:
            verb = "submission is" if len(unlisted) == 1 else "submissions are"
            lines.append(f"{len(unlisted)} {verb} not on the roster: {', '.join(unlisted)}")
        for rows, what in (
            (self.doubtful, "could have one of these submissions, so no points are in grades.csv"),
            (self.absent, "submitted nothing"),
        ):
            noun, names = "student" if len(rows) == 1 else "students", ", ".join(rows.values())
            if rows:
                lines.append(f"{len(rows)} {noun} on the roster {what}: {names}")
        return [one_line(line) for line in lines]


def match_roster(path, uploads):
    """Return the ClassList of a roster, a CSV file, or of the submissions alone (None).

    uploads: {student: Upload}. Raises ValueError where no row matches: it is the wrong roster.
    """
    if not path:
        rows = [[student] for student in uploads]
        return ClassList(Roster(["student"], rows), dict(enumerate(uploads)), column=0)
    matching = _Matching(read_roster(path), uploads)
    matching.match()
    if not (matching.found_any() or matching.reasons):
        raise ValueError(
            f"--roster {path}: no column of it holds the names of the submissions, such as "
            f"{next(iter(uploads))!r}; add one, below a first line with the names of the columns"
        )
    return matching.class_list()


class _Matching:
    """The authors of the uploads while their rows are found.

    people: [(student, Person), …]. rows_of: {number of one of these: number of its row}. reasons:
    {number of one of these: why it has no row}. column: see ClassList.
    """

    def __init__(self, roster, uploads):
        self.roster = roster
        self.people = [(name, person) for name, one in uploads.items() for person in one.people]
        self.rows_of, self.reasons, self.column = {}, {}, None
        self._group_of = {}  # the name of a group's submission, for each row of its students
        self._named, self._undecided, self._doubtful = {}, set(), set()
        self._with_other_id = set()  # rows of a student with an id, which is not that of a namesake

    def match(self):
        """Find the rows, by one kind of name after another."""
        self._match_groups()
        names = name_columns(self.roster)
        self._named = self._best(names, name_forms, lambda _, one: name_forms([one.name])[:1])[1]
        ids = self._take(
            id_columns(self.roster),
            lambda cells: id_forms(*cells),
            lambda _, one: [id_form(one.id)],
        )
        self._match_logins()
        if ids:
            rows = enumerate(self.roster.rows)
            self._with_other_id = {number for number, row in rows if row[ids[0]].strip()}
        for forms in (name_forms, plain_name_forms):
            self._take(names, forms, lambda _, one, forms=forms: forms([one.name])[:1])

    def _match_groups(self):
        """Give the submission of a group to all of its rows; its number is no student's."""
        for columns in group_columns(self.roster):
            index = self._index(columns, name_forms)
            for number, (student, person) in enumerate(self.people):
                forms = name_forms([person.name])[:1]
                rows = index.get(forms[0], []) if forms else []
                self._group_of |= {row: student for row in rows if row not in self._group_of}
                self._undecided |= {number} if rows else set()

    def _match_logins(self):
        for form in (login_form, mailbox_form):
            columns = self._take(
                login_columns(self.roster),
                lambda cells, form=form: {form(*cells)},
                lambda student, one, form=form: [form(name) for name in (student, *one.logins)],
            )
            if columns and self.column is None:
                self.column = columns[0]

    def _index(self, columns, cell_forms):
        """Return {form of a name: numbers of the rows that have it in these columns}."""
        index = {}
        for number, row in enumerate(self.roster.rows):
            for form in {*cell_forms([row[column] for column in columns])} - {""}:
                index.setdefault(form, []).append(number)
        return index

    def _take(self, views, cell_forms, person_forms):
        """Match by the columns that match most; return them, or None.

        views: tuples of columns. cell_forms(cells), person_forms(student, person): the forms of a
        name that count as equal.
        """
        columns, rows_of, reasons = self._best(views, cell_forms, person_forms)
        claims = Counter(rows_of.values())
        for number, row in rows_of.items():
            if claims[row] == 1:
                self.rows_of[number] = row
            else:
                why = f"{claims[row]} submissions could be of {self._name(row)}"
                reasons[number] = why, [row]
        for number, (why, rows) in reasons.items():
            self.reasons[number] = why
            if columns:  # what two may be here, no other column can decide
                self._undecided.add(number)
                self._doubtful.update(rows)
        return columns

    def _best(self, views, cell_forms, person_forms):
        """Return (columns, {person: row}, {person: (why not, rows)}) of the view that matches most."""
        best = (None, {}, {})
        for columns in views:
            rows_of, reasons = self._matches(columns, cell_forms, person_forms)
            if self._score(rows_of) > self._score(best[1]):
                best = columns, rows_of, reasons
            elif not best[1] and reasons:
                best = None, {}, reasons
        return best

    def _score(self, rows_of):
        """Count the matches, less those that give a row to another than its namesake."""
        return sum(1 if self._named.get(n, row) == row else -1 for n, row in rows_of.items())

    def _matches(self, columns, cell_forms, person_forms):
        index = self._index(columns, cell_forms)
        rows_of, reasons, taken = {}, {}, {*self.rows_of.values(), *self._group_of}
        for number, (student, person) in enumerate(self.people):
            if number in self.rows_of or number in self._undecided:
                continue
            forms = person_forms(student, person)
            rows = next((index[form] for form in forms if form in index), [])
            free = [row for row in rows if row not in taken and not self._is_namesake(row, person)]
            if len(free) == 1 and len(rows) == 1:
                rows_of[number] = free[0]
            elif len(rows) > 1:
                reasons[number] = f"the roster has this {len(rows)} times", free
        return rows_of, reasons

    def _is_namesake(self, row, person):
        return bool(person.id) and person.id not in person.logins and row in self._with_other_id

    def _name(self, row):
        return row_name(self.roster, self.roster.rows[row])

    def found_any(self):
        """Tell whether any row has a submission."""
        return bool(self.rows_of or self._group_of)

    def class_list(self):
        """Return the ClassList."""
        students = {row: self.people[number][0] for number, row in self.rows_of.items()}
        students |= self._group_of
        found = ClassList(self.roster, students, column=self.column)
        for number, row in enumerate(self.roster.rows):
            if any(cell.strip().casefold() == MAXIMUM for cell in row[:2]):
                found.maximum.add(number)
            elif number not in students and (name := self._name(number)):
                where = found.doubtful if number in self._doubtful else found.absent
                where[number] = name
        listed = set(students.values())
        for number, (student, _) in enumerate(self.people):
            if student not in listed and not found.unlisted.get(student):
                found.unlisted[student] = self.reasons.get(number, "")
        return found
