"""Read the student from the names that learning platforms give to folders and files.

    Moodle      Ana Silva_4711_assignsubmission_file/…      4711 is the number of its worksheet, also
                Participant_4711_assignsubmission_file/…    where it hides names; with its "folders"
                Ana Silva_4711_assignsubmission_file_a.py   switched off there are only files
    Canvas      silvaana_4711_90001_a.py                    name, user id, file id, file
                silvaana_LATE_4711_90001_a-1.py             late, and uploaded twice
                silvaana_4711_text.html                     typed into a form, or a link
                anon_x7Yz3_90001_a.py                       where it hides names
    Gradescope  submission_101/…                            submission_metadata.yml names its authors
    Blackboard  HW 1_asilva_attempt_2026-11-20-13-05-09_a.py        and ….txt about each attempt
    Brightspace 1234-5678 - Ana Silva - Nov 20, 2026 105 PM/…       or "… - a.py"

Anything else is named by the student or the instructor: "ana", "Ana Silva", "hw1-ana".
"""

import json
import re
from dataclasses import dataclass

MOODLE = re.compile(
    r"(?P<name>.+?)[ _](?P<id>[0-9]+)_assignsubmission_(?P<part>[a-z]+)(?:_(?P<file>.*))?"
)
CANVAS = re.compile(
    r"(?:(?P<name>.+?)(?P<late>_LATE)?_(?P<id>[0-9]+)|(?P<late_anon>LATE_)?(?P<anon>anon_\w+?))"
    r"_(?:[0-9]+_(?P<file>.+)|(?P<form>text[.]html|link[.]html))",
    re.ASCII,
)
BLACKBOARD = re.compile(
    r".+_(?P<login>[^_]+)_attempt_[0-9]{4}(?:-[0-9]{2}){5}(?:_(?P<file>.+)|[.]txt)"
)
BRIGHTSPACE = re.compile(
    r"(?P<id>[0-9]+)-[0-9]+ - (?P<name>.+?) - \w+ [0-9]+, [0-9]{4} [0-9]+ ?[AP]M(?: - (?P<file>.+))?"
)
GRADESCOPE = "submission_metadata.yml"
AUTHOR = re.compile(r"  (?:- |  ):(?P<field>name|sid|email): *(?P<value>.*)")


@dataclass(frozen=True)
class Person:
    """One author of a submission, as far as its name tells. A field that is not known is empty.

    logins: the likeliest first.
    """

    id: str = ""
    logins: tuple = ()
    name: str = ""


@dataclass(frozen=True)
class Entry:
    """A folder or file of a class, and the submission that it belongs to.

    student: the name of that submission. people: its authors, Persons. file: the name that the
    student gave it, "" for a folder that holds all. late (bool): the platform marked it.
    """

    student: str
    people: tuple
    file: str
    late: bool = False


def entry_of(name):
    """Return the Entry of a name that a platform gave, or None."""
    return _moodle(name) or _canvas(name) or _blackboard(name) or _brightspace(name)


def _moodle(name):
    if match := MOODLE.fullmatch(name):
        person = Person(id=match["id"], name=match["name"])
        file = match["file"] or match["part"].removeprefix("file")
        return Entry(f"{match['name']}_{match['id']}", (person,), file)


def _canvas(name):
    if match := CANVAS.fullmatch(name):
        person = Person(id=match["id"] or "", name=match["name"] or "")
        student = match["anon"] or f"{match['name']}_{match['id']}"
        late = bool(match["late"] or match["late_anon"])
        return Entry(student, (person,), match["file"] or match["form"], late)


def _blackboard(name):
    if match := BLACKBOARD.fullmatch(name):
        person = Person(logins=(match["login"],))
        return Entry(match["login"], (person,), match["file"] or "attempt.txt")


def _brightspace(name):
    if match := BRIGHTSPACE.fullmatch(name):
        person = Person(id=match["id"], name=match["name"])
        return Entry(f"{match['name']}_{match['id']}", (person,), match["file"] or "")


def gradescope_authors(folder):
    """Return {name of a folder: its Persons} as the metadata in a folder names them."""
    try:
        text = (folder / GRADESCOPE).read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return {}
    authors, fields, block = {}, None, ""
    for line in text.splitlines():
        if line[:1] not in ("", " ", "-", "#"):  # the name of a folder
            fields = authors.setdefault(_plain(line.rstrip().removesuffix(":")), [])
        elif line.startswith("  :"):
            block = line.strip()
        elif fields is not None and block == ":submitters:" and (match := AUTHOR.fullmatch(line)):
            if line.startswith("  - "):
                fields.append({})
            fields[-1][match["field"]] = _plain(match["value"])
    return {name: tuple(map(_person, people)) for name, people in authors.items() if people}


def _person(fields):
    logins = (fields["email"],) if fields.get("email") else ()
    return Person(fields.get("sid", ""), logins, fields.get("name", ""))


def _plain(value):
    """Return a scalar of YAML without its quotes."""
    value = value.strip()
    if value.startswith('"'):
        try:
            return json.loads(value)
        except ValueError:
            return value.strip('"')
    return value[1:-1].replace("''", "'") if value.startswith("'") else value
