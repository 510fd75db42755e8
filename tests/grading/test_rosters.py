"""Match a class list with the submissions."""

import csv
from types import SimpleNamespace

import pytest
from batch_runs import MOST, contained, grade, grades

from jobs_kit.grading.batch.reports import grades_csv
from jobs_kit.grading.batch.rosters import read_roster
from jobs_kit.grading.results import CheckResult, ExerciseResult, SubmissionResult


@contained
@pytest.mark.slow
def test_grades_keep_the_columns_and_rows_of_the_roster(place, tmp_path):
    place("ana")
    place("stranger")
    roster = tmp_path / "roster.csv"
    roster.write_text("Name,Login,Section\nAna A.,ana,1\nZoe Z.,zoe,2\n")
    assert grade(place, tmp_path / "out", "--roster", roster)[0] == 0
    with open(tmp_path / "out" / "grades.csv", newline="") as file:
        header, *rows = csv.reader(file)
    full = str(MOST)
    assert header == ["Name", "Login", "Section", "student", "echo_worker", "total", "max"]
    assert rows == [
        ["Ana A.", "ana", "1", "ana", full, full, full],
        ["Zoe Z.", "zoe", "2", "zoe", "0", "0", full],
        ["", "stranger", "", "stranger", full, full, full],
    ]
    # the marks of last week are a roster, too
    marks = (tmp_path / "out" / "grades.csv").rename(tmp_path / "marks.csv")
    assert grade(place, tmp_path / "out", "--roster", marks)[0] == 0
    assert (tmp_path / "out" / "grades.csv").read_bytes() == marks.read_bytes()


@contained
def test_a_roster_may_use_semicolons(place, tmp_path):
    place("ana")
    roster = tmp_path / "roster.csv"
    roster.write_text("Login;Name\nana;A., Ana\n", "utf-8-sig")
    assert grade(place, tmp_path / "out", "--roster", roster)[0] == 0
    assert grades(tmp_path / "out")["ana"]["Name"] == "A., Ana"


def test_a_roster_is_read_as_platforms_and_spreadsheets_write_it(place, tmp_path):
    names = ["e\u0301mile", "Ana Silva_123_assignsubmission_file_"]
    names += [
        "Bo_1_assignsubmission_file_",
        "Bo_2_assignsubmission_file_",
    ]  # one name, two students
    roster = tmp_path / "roster.csv"
    roster.write_text("Name,Mark\n\u00e9mile,-1.5\nAna Silva ,=1+1,more\nBo,\n")
    header, listed = read_roster(roster, names)
    assert header == ["Name", "Mark", ""]
    assert [student for student, _ in listed] == [*names[:2], "Bo", *names[2:]]
    assert {len(cells) for _, cells in listed} == {3}
    check = CheckResult("test_echo", "it echoes", "fail", points=3, max_points=5)
    echo = ExerciseResult("echo_worker", "Echo", [check])
    results = [SubmissionResult(name, [echo]) for name in names]
    grades_csv.write(SimpleNamespace(exercises=[echo], roster=roster, out=tmp_path), results)
    with open(tmp_path / "grades.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1] == ["émile", "-1.5", "", names[0], "3", "3", "5"]
    assert rows[2] == ["Ana Silva ", "'=1+1", "more", names[1], "3", "3", "5"]
    roster.write_text('Name,Mark\nBo,"' + "x" * 200_000)
    with pytest.raises(ValueError, match="larger than field limit"):
        read_roster(roster, names)
