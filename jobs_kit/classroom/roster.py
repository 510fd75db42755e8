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


def read_people(path):
    """Return the Persons of a class list, a CSV file. Raises ValueError, OSError."""
    roster = read_roster(path)
    known = [cell for cell in roster.header if NAME.fullmatch(cell) or LOGIN.fullmatch(cell)]
    if not known and not id_columns(roster):
        raise ValueError(
            f"--roster {path}: its first line must name the columns, such as name,mail; "
            f"it is {','.join(roster.header)!r}"
        )
    people = [_person(roster, row) for row in roster.rows]
    return [one for one in people if one]


def _person(roster, row):
    if any(cell.strip().casefold() == MAXIMUM for cell in row[:2]):
        return None
    ids = [row[column].strip() for (column,) in id_columns(roster)]
    number = next((cell for cell in ids if cell), "")
    name, login = row_person(roster, row)
    if not (name or login or number):
        return None
    return Person(name or login or number, login_form(login), id_form(number))
