"""What does a graded class leave behind? Files for the gradebook, the student and the instructor.

grades.csv               a row a student, a column an exercise, `total` and `max`
results/<student>.json   all that was found (see verdict.py)
feedback/<student>.html  the same as a page to learn from
summary.html             the class: distribution, hardest checks, commonest mistakes, timings
junit.xml                for whatever reads JUnit
gradescope/<student>/results.json, where it was asked for
"""

import csv
import io
import itertools
import json
import re
import statistics
import unicodedata
from collections import Counter
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import jinja2
from markupsafe import Markup

from jobs_kit.grading.programs.formats import UUID
from jobs_kit.grading.verdict import MARKS, Verdict

PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?", re.ASCII)
MOODLE = re.compile(r"_\d+_assignsubmission_(file|onlinetext)_?")  # after a name, for its folders
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]")


def write(batch, results):
    """Write all reports of a Batch. results: a list, as Batch.run() returns it."""
    out = batch.out
    _write_grades(out / "grades.csv", batch, results)
    _write_junit(out / "junit.xml", results)
    (out / "feedback").mkdir(exist_ok=True)
    if batch.gradescope:
        (out / "results.json").unlink(missing_ok=True)  # which said that there are no grades yet
    page = PAGES.get_template("feedback.html")
    for result in results:
        verdicts = [Verdict(one) for one in result["exercises"]]
        text = page.render(result=result, verdicts=verdicts, marks=MARKS, page=_page_of)
        write_whole(out / "feedback" / f"{file_name(result['student'])}.html", text)
        if batch.gradescope:
            _write_gradescope(out, result, alone=len(results) == 1)
    text = PAGES.get_template("summary.html").render(**_summary(batch, results))
    write_whole(out / "summary.html", text)


def write_whole(path, text):
    """Write a file as a whole or not at all: what stood there stays where there is no room."""
    fresh = path.with_suffix(".part")
    try:
        fresh.write_text(text, encoding="utf-8", newline="")
        fresh.replace(path)
    except OSError as problem:
        fresh.unlink(missing_ok=True)
        said = f"{problem.strerror} (what is graded stays, and the same command goes on there)"
        raise OSError(problem.errno, said, str(path)) from None


def file_name(student):
    """Return a student's name as the name of a file: quoted where it must be, and not too long."""
    name = quote(student, safe=" ,()+@=")
    # cut alone, long names that begin alike would be one
    return name if len(name) <= 150 else f"{name[:130]} {sha256(name.encode()).hexdigest()[:16]}"


def _write_grades(path, batch, results):
    names = [one.id for one in batch.exercises]
    ours = [*names, "total", "max"]
    header, before = read_roster(batch.roster, [result["student"] for result in results])
    kept = [n for n, name in enumerate(header) if name not in ours]  # it may be our last grades.csv
    header = [header[n] for n in kept]
    found = {result["student"]: result for result in results}
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*header, *(["student"] if "student" not in header else []), *ours])
    for student, cells in before:
        cells = [cells[n] for n in kept] + ([] if "student" in header else [student])
        result = found.get(student)
        points = [_cell(one) for one in result["exercises"]] if result else ["0"] * len(names)
        most = results[0]["max"] if results else 0
        total = [result["total"], result["max"]] if result else [0, most]
        writer.writerow([*map(_harmless, cells), *points, *total])
    write_whole(path, text.getvalue())


def _cell(exercise):
    if exercise["max_points"]:
        return exercise["points"]
    return "recorded" if exercise["outcome"] == "pass" else "missing"


def _harmless(cell):
    """Return a cell that no spreadsheet takes for a formula."""
    if NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def read_roster(path, students):
    """Return (header, [(student, cells), ...]) of the roster, or of the students alone.

    Raises ValueError where nobody on it has handed in anything, for then it is the wrong one.
    """
    if not path:
        return ["student"], [(student, [student]) for student in students]
    rows = _rows(path)
    width = max(map(len, rows), default=0)  # a comma at the end of some lines is one cell more
    header, *rows = [row + [""] * (width - len(row)) for row in rows] or [[]]
    shared = Counter(map(_as_listed, students))
    known = {_as_listed(name): name for name in students if shared[_as_listed(name)] == 1}
    known |= {name: name for name in students}

    def handed_in(cell):
        return known.get(cell) or known.get(_as_listed(cell))

    matches = [len({handed_in(row[n]) for row in rows} - {None}) for n in range(len(header))]
    if not any(matches):
        raise ValueError(
            f"--roster {path}: no column of it holds the names of the submissions, such as "
            f"{next(iter(students))!r}; add one, below a first line with the names of the columns"
        )
    column = matches.index(max(matches))
    listed = [(handed_in(row[column]) or row[column], row) for row in rows]
    known = {student for student, _ in listed}
    blank = [""] * len(header)
    for student in students:
        if student not in known:
            listed.append((student, [*blank[:column], student, *blank[column + 1 :]]))
    return header, listed


def _as_listed(name):
    """Return a name in the form in which a roster may have it: not all systems write é alike."""
    return MOODLE.sub("", unicodedata.normalize("NFC", name)).strip()


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


def _write_junit(path, results):
    root = ElementTree.Element("testsuites")
    for result in results:
        checks = [(one, check) for one in result["exercises"] for check in one["checks"]]
        outcomes = Counter(check["outcome"] for _, check in checks)
        suite = ElementTree.SubElement(root, "testsuite", name=_xml(result["student"]))
        suite.attrib |= {
            "tests": str(len(checks)),
            "failures": str(outcomes["fail"] + outcomes["timeout"]),
            "errors": str(outcomes["error"]),
            "skipped": str(outcomes["not attempted"] + outcomes["not reached"]),
        }
        for exercise, check in checks:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                classname=exercise["id"],
                name=check["name"],
                time=str(check["seconds"]),
            )
            kind = {"fail": "failure", "timeout": "failure", "error": "error"}
            if check["outcome"] != "pass":
                tag = kind.get(check["outcome"], "skipped")
                said = ElementTree.SubElement(case, tag, message=_xml(check["outcome"]))
                said.text = _xml(_text(check))
    text = ElementTree.tostring(root, encoding="unicode")
    write_whole(path, f'<?xml version="1.0" encoding="utf-8"?>\n{text}')


def _write_gradescope(out, result, alone):
    tests = [
        {
            "name": f"{exercise['id']}: {check['claim']}",
            "score": check["points"],
            "max_score": check["max_points"],
            "status": "passed" if check["outcome"] == "pass" else "failed",
            "output": _text(check),
        }
        for exercise in result["exercises"]
        for check in exercise["checks"]
    ]
    made = {
        "score": result["total"],
        "output": "\n".join(result["remarks"]),
        "tests": tests,
        "execution_time": result.get("seconds"),
    }
    places = [out / "gradescope" / file_name(result["student"]) / "results.json"]
    for place in [*places, *([out / "results.json"] if alone else [])]:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, json.dumps(made, indent=1))


def write_gradescope_crash(out, problem):
    """Write a results.json that says that grading has failed, for there must always be one."""
    out.mkdir(parents=True, exist_ok=True)
    problem = str(problem) or type(problem).__name__
    said = {"score": 0, "output": f"Grading failed: {problem}. Tell your instructor.", "tests": []}
    (out / "results.json").write_text(json.dumps(said, indent=1), "utf-8")


def _summary(batch, results):
    """Return what the page for the instructor shows."""
    most = results[0]["max"] or 1
    checks = {}
    mistakes = {}
    for result in results:
        for exercise in result["exercises"]:
            for check in exercise["checks"]:
                seen = checks.setdefault(
                    (exercise["id"], check["name"]), Counter(claim=check["claim"])
                )
                seen[check["outcome"]] += 1
                if check["outcome"] in ("fail", "timeout"):
                    key = (exercise["id"], check["claim"], check["outcome"], _kind(check))
                    mistakes.setdefault(key, []).append(result["student"])
    hardest = [
        (key, seen, sum(seen[o] for o in ("pass", "fail", "timeout")))
        for key, seen in checks.items()
    ]
    seconds = [result["seconds"] for result in results if result.get("seconds")]
    totals = [result["total"] for result in results]
    return {
        "results": results,
        "most": most,
        "bins": _bins(totals, most),
        "middle": statistics.median(totals),
        "containment_measures": batch.containment_measures(),
        "hardest": sorted(
            (
                (key, seen, judged)
                for key, seen, judged in hardest
                if judged and seen["pass"] < judged
            ),
            key=lambda one: one[1]["pass"] / one[2],
        )[:15],
        "mistakes": sorted(mistakes.items(), key=lambda one: -len(one[1]))[:25],
        "seconds": seconds,
        "slowest": sorted(results, key=lambda one: -(one.get("seconds") or 0))[:5],
        "median": statistics.median(seconds) if seconds else 0,
        "file_name": file_name,
        "exercises": batch.exercises,
        "roster": batch.roster,
    }


def _bins(totals, most, number=10):
    """Return [(from, to, how many), ...]: how many students have so many points, both included."""
    number = min(number, most + 1)
    edges = [round((most + 1) * n / number) for n in range(number + 1)]
    return [
        (low, high - 1, sum(low <= total < high for total in totals))
        for low, high in itertools.pairwise(edges)
    ]


def _kind(check):
    """Return what two students' mistakes have in common: what came back, without ids and values."""
    begun = (check["got"] or check["message"] or "").strip().splitlines()[:2]
    return re.sub(r"\d+", "N", UUID.sub("<id>", " ".join(begun)))[:120]


def _page_of(verdict):
    return Markup(verdict._repr_html_())  # it escapes what it shows


def _text(check):
    rows = ("message", "call", "got", "expected", "hint")
    lines = [f"{name}: {check[name]}" for name in rows if check[name]]
    return "\n".join([*lines, *(f"in Redis: {line}" for line in check["evidence"])])


def _xml(text):
    return NOT_XML.sub("�", text)
