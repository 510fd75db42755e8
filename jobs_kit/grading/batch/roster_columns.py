"""Tell which columns of a roster hold ids, logins and names, and compare their cells."""

import re
import unicodedata

from jobs_kit.course.exercise import all_exercises

ID = re.compile(
    r"(?i:(?:.*[\W_])?(?:id|sid|identifier|number|nr|no|matr\w*)(?:[\W_].*)?)|.*[a-z]I[dD]"
)
LOGIN = re.compile(
    r".*(?:log-?in|user.?name|mail|account|net.?id|git.?hub)(?!.*_id$).*", re.IGNORECASE
)
NAME = re.compile(r".*(?:name|nom|apellido)\W*|student", re.IGNORECASE)
PART_OF_NAME = re.compile(  # two students may share it
    r"nom|.*(?:first|last|given|family|middle|sur.?name|vorname|nachname|pr[ée]nom|apellido).*",
    re.IGNORECASE,
)
GROUP = re.compile(r".*(?:gro?upp?[eo]?|team).*", re.IGNORECASE)
NUMBERED = re.compile(r"(?P<word>\D+?) ?(?P<number>[0-9]+)")  # Moodle: Participant 4711
LONG_NUMBER = re.compile(r"[0-9]{4,}")
QUOTED = re.compile(r'="(.*)"')  # how a spreadsheet keeps the zeros of 0047
DEFUSED = re.compile(r"'(?=\W)|#")  # our own, and what Brightspace writes before each login


def id_columns(roster):
    """Return the columns with ids, each as a tuple of one number."""
    return [(n,) for n in _columns(roster) if _holds_ids(roster.header[n], _cells(roster, n))]


def login_columns(roster):
    """Return the columns that may hold logins, those that are called so first."""
    columns = [n for n in _text_columns(roster) if not PART_OF_NAME.fullmatch(roster.header[n])]
    return [(n,) for n in sorted(columns, key=lambda n: not LOGIN.fullmatch(roster.header[n]))]


def name_columns(roster):
    """Return the columns that may hold names: one, or two beside each other."""
    columns = [n for n in _text_columns(roster) if not LOGIN.fullmatch(roster.header[n])]
    whole = [(n,) for n in columns if not PART_OF_NAME.fullmatch(roster.header[n])]
    return whole + [(n, n + 1) for n in columns if n + 1 in columns]


def group_columns(roster):
    """Return the columns that tell in which group a student is."""
    return [(n,) for n in _text_columns(roster) if GROUP.fullmatch(roster.header[n])]


def row_name(roster, row):
    """Return how to call the student of a row: name and login; "" if the row is of no student."""
    name, login = row_person(roster, row)
    return f"{name} ({login})" if name and login else name or login


def row_person(roster, row):
    """Return (name, login) of the student of a row, each "" if the row has none."""
    columns = _columns(roster)
    logins = [n for n in columns if LOGIN.fullmatch(roster.header[n])]
    names = [n for n in columns if NAME.fullmatch(roster.header[n]) and n not in logins]
    if not (names or logins):
        return next((row[n].strip() for n in columns if row[n].strip()), ""), ""
    if len(names) > 1 and (names[1] > names[0] + 1 or roster.header[names[1]] == "student"):
        names = names[:1]  # not the first and the last name
    name = " ".join(row[n].strip() for n in names[:2]).strip()
    return name, next((row[n].strip() for n in logins if row[n].strip()), "")


def id_form(text):
    """Return an id in the form in which it is compared: spreadsheets drop zeros, or add them."""
    text = _text(text).removesuffix(".0")
    return text.lstrip("0") or text


def id_forms(cell):
    """Return the forms of a cell with an id: with and without the word before a number."""
    match = NUMBERED.fullmatch(_text(cell))
    return [id_form(cell), id_form(match["number"])] if match else [id_form(cell)]


def login_form(cell):
    """Return a login or address in the form in which it is compared."""
    return _text(cell)


def mailbox_form(cell):
    """Return a login, or the part of an address before its domain."""
    return _text(cell).partition("@")[0]


def name_forms(cells):
    """Return the forms of a name that count as equal: "Silva, Ana" is "Ana Silva"."""
    words = re.findall(r"[^\W_]+", " ".join(map(_text, cells)))
    return ["".join(words[start:] + words[:start]) for start in range(len(words))]


def plain_name_forms(cells):
    """Return the same forms without accents."""
    marked = unicodedata.normalize("NFKD", " ".join(cells))
    return name_forms(["".join(one for one in marked if not unicodedata.combining(one))])


def _columns(roster):
    """Return the numbers of the columns that are not an earlier run's results."""
    results = {*all_exercises(), "total", "max"}
    return [n for n, name in enumerate(roster.header) if name not in results]


def _text_columns(roster):
    return [n for n in _columns(roster) if any(map(_has_letter, _cells(roster, n)))]


def _cells(roster, column):
    return [cell for row in roster.rows if (cell := _text(row[column]))]


def _holds_ids(name, cells):
    """Tell whether a column holds ids, by its name or by its cells."""
    if ID.fullmatch(name) and not LOGIN.fullmatch(name):
        return True
    if len(set(cells)) < len(cells):
        return False
    words = {match["word"] if (match := NUMBERED.fullmatch(cell)) else None for cell in cells}
    if len(words) == 1 and words != {None}:
        return True
    return all(map(LONG_NUMBER.fullmatch, cells))


def _has_letter(cell):
    return any(map(str.isalpha, cell))


def _text(cell):
    """Return a cell in the form in which it is compared: without apostrophe, é in one spelling."""
    text = unicodedata.normalize("NFKC", DEFUSED.sub("", cell.strip(), count=1))
    match = QUOTED.fullmatch(text)
    return (match[1] if match else text).strip().casefold()
