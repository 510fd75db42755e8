"""Read a class list as platforms and spreadsheets write it, and write it as it was."""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

DELIMITERS = ",;\t|"  # spreadsheets write what their country is used to
BOM = "\ufeff"
SEPARATOR_LINE = re.compile(
    '"?sep=(?P<delimiter>[^\r\n])"?(?P<end>\r\n|\r|\n)'
)  # for a spreadsheet
HARMLESS = re.compile(r'="[^"]*"|[-+]?[\d\s.,/()-]*', re.ASCII)
UNSEEN = " \u00a0\u3000\u200b\u2060\ufeff"  # spaces, of which some have no width
FORMULA = "=+-@\t\r\n\0"  # what begins a formula, also in full width


@dataclass
class Roster:
    """A class list. header, rows: lists of cells, all of the same length.

    delimiter, line_end: as in its file. prefix: what that file has before the header.
    """

    header: list
    rows: list
    delimiter: str = ","
    line_end: str = "\r\n"
    prefix: str = ""

    def text(self, header, rows):
        """Return the text of a CSV file of other cells that is written like this one."""
        text = io.StringIO(newline="")
        # with another delimiter, too, no part of a cell becomes a cell and a formula
        writer = csv.writer(
            text, delimiter=self.delimiter, lineterminator=self.line_end, quoting=csv.QUOTE_ALL
        )
        writer.writerows([header, *rows])
        return self.prefix + text.getvalue()


def read_roster(path):
    """Return the Roster in a CSV file. Raises ValueError, OSError."""
    if not Path(path).exists() or Path(path).is_dir():
        raise FileNotFoundError(f"--roster {path}: there is no such file; name a CSV file")
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"--roster {path} is not UTF-8; save it as CSV, in UTF-8") from None
    content = text.removeprefix(BOM)
    separator = SEPARATOR_LINE.match(content)
    content = content[separator.end() :] if separator else content
    delimiter = separator["delimiter"] if separator else _delimiter(content)
    header, rows = _table(path, content, delimiter)
    prefix = text.removesuffix(content) if content else text
    return Roster(header, rows, delimiter, _line_end(content), prefix)


def _delimiter(content):
    """Return the delimiter that gives the first line the most cells."""
    first = content.splitlines()[0] if content else ""
    return max(DELIMITERS, key=lambda one: len(next(csv.reader([first], delimiter=one), [])))


def _line_end(content):
    match = re.search("\r\n|\r|\n", content)
    return match[0] if match else "\r\n"


def _table(path, content, delimiter):
    """Return (header, rows), all of the same length. Raises ValueError."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
    try:
        rows = [row for row in reader if any(row)]
    except csv.Error as problem:
        raise ValueError(f"--roster {path}, line {reader.line_num}: {problem}") from None
    width = max(map(len, rows), default=0)  # a comma at the end of some lines is one cell more
    header, *rows = [row + [""] * (width - len(row)) for row in rows] or [[]]
    return header, rows


def harmless(cell):
    """Return a cell that no spreadsheet takes for a formula."""
    first = unicodedata.normalize("NFKC", cell.lstrip(UNSEEN)[:1])
    if first and first in FORMULA and not HARMLESS.fullmatch(cell):
        return f"'{cell}"
    return cell
