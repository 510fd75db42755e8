"""Read who is in the class from any class list that `jobs-kit grade` reads."""

from typing import NamedTuple

from jobs_kit.grading.batch.class_lists import MAXIMUM
from jobs_kit.grading.batch.roster_columns import (
    LOGIN,
    NAME,
    id_columns,
    id_form,
    login_form,
    row_person,
)
from jobs_kit.grading.batch.rosters import read_roster


class Person(NamedTuple):
    """A student as a class list names them. login: a login or mail address; each may be ""."""

    name: str
    login: str = ""
    id: str = ""


def read_people(path, warn):
    """Return the Persons of a class list, a CSV file. Raises ValueError, OSError.

    warn(text): called if the first line may not hold the names of the columns, but a student.
    """
    roster = read_roster(path)
    first = ",".join(roster.header)
    known = any(NAME.fullmatch(cell) or LOGIN.fullmatch(cell) for cell in roster.header)
    if "@" in first:
        raise ValueError(
            f"--roster {path}: its first line must name the columns, such as name,mail; "
            f"it is {first!r}"
        )
    people = [one for row in roster.rows if (one := _person(roster, row))]
    if not people:
        raise ValueError(f"--roster {path}: no student is below the first line, {first!r}")
    if not known and not id_columns(roster):
        warn(f"The first line of {path}, {first!r}, counts as names of columns, not as a student")
    return people


def _person(roster, row):
    if any(cell.strip().casefold() == MAXIMUM for cell in row[:2]):
        return None
    ids = [row[column].strip() for (column,) in id_columns(roster)]
    number = next((cell for cell in ids if cell), "")
    name, login = row_person(roster, row)
    if not (name or login or number):
        return None
    return Person(name or login or number, login_form(login), id_form(number))
