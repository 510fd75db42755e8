"""Grade one class whose submissions, names and class list are what instructors really get."""

import csv
import io
import json
import zipfile
from types import SimpleNamespace

import pytest
from batch_runs import ANYHOW, MOST, RIGHT, WRONG, grade

from jobs_kit.course.places import EXERCISES

STARTER = (EXERCISES / "echo_worker" / "echo.py").read_text(encoding="utf-8")
PAGE = json.dumps({"cells": [{"cell_type": "code", "source": RIGHT}]})
NOT_PART = "submitted, but not part of any exercise: "
FILES = {
    "Ana Silva_1011_assignsubmission_file_/Echo.py": RIGHT,
    "Ana Silva_1011_assignsubmission_onlinetext_/onlinetext.html": "<p>see the file</p>",
    "Bo Li_1012_assignsubmission_file_/echo.py": RIGHT,
    "Bo Li_1013_assignsubmission_file_/echo.py": WRONG,
    "doejane_LATE_4711_90001_echo-1.py": RIGHT,
    "Cem@uni.edu/echo - Copy.py": RIGHT,
    "DIA/echo.py.txt": RIGHT,
    "00471/EliYu_echo_worker.ipynb": PAGE,
    "fay/echo_worker/echo.py": STARTER,
    "fay/echo_worker (1)/echo.py": RIGHT,
    "gus/a/echo.py": RIGHT,
    "gus/b/echo.py": WRONG,
    "hal/solution.py": RIGHT,
    "=ivy()/echo.docx": "a letter",
    "zed/echo.py": RIGHT,
    "Zoë Öz/echo.py": RIGHT,
}
ROSTER = """\ufeffsep=;
Identifier;Name;Login;Note
Participant 1011;Silva, Ana;as;007
Participant 1012;Li, Bo;bo1;"1;5"
Participant 1013;Li, Bo;bo2;
Participant 4711;Doe, Jane;jd;-
;Cem A.;cem;
;Dia B.;dia@uni.edu;
Participant 471;Yu, Eli;ey;
;Fay;fay;
;Gus;gus;
;Hal;HAL;
;Ivy;=ivy();
;Öz, Zoe\u0308;zoe;
;Kim;kim;+1 555-7
"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Return the folder with the grades, and what was printed."""
    folder = tmp_path_factory.mktemp("class")
    submissions, roster, out = folder / "submissions", folder / "roster.csv", folder / "out"
    for name, text in FILES.items():
        path = submissions / "homework" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with zipfile.ZipFile(submissions / "homework" / "roejim_4712_90002_work.zip", "w") as packed:
        packed.writestr("work/my_echo.py", RIGHT)
    roster.write_bytes(ROSTER.replace("\n", "\r\n").encode())
    place = SimpleNamespace(folder=submissions)
    code, printed = grade(place, out, *ANYHOW, "--roster", roster, "--jobs", "2")
    assert code == 0, printed
    return out, printed


@pytest.fixture(scope="module")
def rows(graded):
    """Return {student: row of grades.csv}."""
    text = (graded[0] / "grades.csv").read_bytes().decode("utf-8-sig")
    lines = io.StringIO(text.partition("\n")[2], newline="")
    return {row["student"]: row for row in csv.DictReader(lines, delimiter=";")}


@pytest.mark.parametrize(
    ("student", "name", "points", "remark"),
    [
        ("Ana Silva_1011", "Silva, Ana", MOST, "Echo.py is graded as echo.py"),
        ("Bo Li_1012", "Li, Bo", MOST, ""),
        ("Bo Li_1013", "Li, Bo", 0, ""),
        ("doejane_4711", "Doe, Jane", MOST, "submitted late: the platform marks it LATE"),
        ("Cem@uni.edu", "Cem A.", MOST, "echo - Copy.py is graded as echo.py"),
        ("DIA", "Dia B.", MOST, "echo.py.txt is graded as echo.py"),
        ("00471", "Yu, Eli", MOST, "EliYu_echo_worker.ipynb is graded as echo_worker.ipynb"),
        ("fay", "Fay", MOST, "echo_worker (1) is graded as echo_worker"),
        ("gus", "Gus", MOST, "b/echo.py is left out: a/echo.py, which differs, is graded"),
        ("hal", "Hal", 0, f"{NOT_PART}solution.py"),
        ("=ivy()", "Ivy", 0, f"{NOT_PART}echo.docx"),
        ("Zoë Öz", "Öz, Zoe\u0308", MOST, ""),
        ("zed", "", MOST, ""),
        ("roejim_4712", "", MOST, "work/my_echo.py is graded as echo.py"),
    ],
)
def test_each_student_gets_the_points_and_learns_what_was_taken(
    graded, rows, student, name, points, remark
):
    row = rows[f"'{student}" if student.startswith("=") else student]
    assert row["Name"] == name or row["Login"] == student
    assert row["echo_worker"] == str(points)
    [result] = [
        found
        for path in (graded[0] / "results").glob("*.json")
        if (found := json.loads(path.read_text(encoding="utf-8")))["student"] == student
    ]
    assert remark in " ".join(result["remarks"]) and bool(remark) == bool(result["remarks"])


def test_unmatched_submissions_are_printed_and_in_the_summary(graded):
    out, printed = graded
    page = (out / "summary.html").read_text(encoding="utf-8")
    for line in (
        "2 submissions are not on the roster: roejim_4712, zed",
        "1 student on the roster submitted nothing: Kim (kim)",
        "2 submissions contain no answer; the remarks on their pages explain why: =ivy(), hal",
    ):
        assert line in printed and line in page
    assert f"The class is in {out.parent / 'submissions' / 'homework'}" in printed


def test_the_list_keeps_its_form_and_its_values(graded, rows):
    text = (graded[0] / "grades.csv").read_bytes().decode()
    columns = ["Identifier", "Name", "Login", "Note", "student", "echo_worker", "total", "max"]
    header = ";".join(f'"{column}"' for column in columns)
    assert text.startswith(f"\ufeffsep=;\r\n{header}\r\n")
    assert text.count("\n") == text.count("\r\n") == 17
    notes = [rows[student]["Note"] for student in ("Ana Silva_1011", "Bo Li_1012", "doejane_4711")]
    assert notes == ["007", "1;5", "-"]
    assert (rows["kim"]["Note"], rows["kim"]["echo_worker"]) == ("+1 555-7", "0")
    assert rows["'=ivy()"]["Login"] == "'=ivy()"
