"""Match a class list with the submissions, and write it as it was."""

import csv
import io
from types import SimpleNamespace

import pytest
from batch_runs import MOST, contained, grade

from jobs_kit.grading.batch.class_lists import match_roster
from jobs_kit.grading.batch.platforms import Person, entry_of
from jobs_kit.grading.batch.reports import grades_csv
from jobs_kit.grading.batch.uploads import Upload
from jobs_kit.grading.results import CheckResult, ExerciseResult, SubmissionResult


def uploads_of(names):
    """Return the Uploads of folders that are called so."""
    uploads = {}
    for name in names:
        entry = entry_of(name)
        upload = Upload(name, (Person(name, (name,), name),))
        if entry:
            upload = Upload(entry.student, entry.people)
        uploads[upload.student] = upload
    return uploads


@pytest.fixture
def match(tmp_path):
    """Return a function that matches a roster (a string) with names of folders, or Uploads."""

    def match(roster, uploads):
        path = tmp_path / "roster.csv"
        path.write_bytes(roster if isinstance(roster, bytes) else roster.encode())
        return match_roster(path, uploads if isinstance(uploads, dict) else uploads_of(uploads))

    return match


@pytest.fixture
def written(match, tmp_path):
    """Return a function that returns grades.csv as bytes; each submission has 3 of 5 points."""

    def write(roster, names):
        class_list = match(roster, names)
        check = CheckResult("test_echo", "it echoes", "fail", points=3, max_points=5)
        echo = ExerciseResult("echo_worker", "Echo", [check])
        results = [SubmissionResult(name, [echo]) for name in uploads_of(names)]
        batch = SimpleNamespace(exercises=[echo], class_list=class_list, out=tmp_path)
        grades_csv.write(batch, results)
        return (tmp_path / "grades.csv").read_bytes()

    return write


@contained
@pytest.mark.slow
def test_grades_keep_the_columns_and_rows_of_the_roster(place, tmp_path):
    place("ana")
    place("stranger")
    roster = tmp_path / "roster.csv"
    roster.write_text("Name,Login,Section\nAna A.,ana,1\nZoe Z.,zoe,2\n")
    code, output = grade(place, tmp_path / "out", "--roster", roster)
    found = [
        "1 submission is not on the roster: stranger",
        "1 student on the roster submitted nothing: Zoe Z. (zoe)",
    ]
    page = (tmp_path / "out" / "summary.html").read_text()
    assert code == 0 and all(line in output and line in page for line in found), output
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


MOODLE = """Identifier,Full name,ID number,Email address,Status,Grade,Last modified (grade)
Participant 11,Ana Silva,12,ana@uni.edu,,,-
Participant 12,Bo Li,13,bo@uni.edu,,,-
Participant 13,Bo Li,14,bo2@uni.edu,,,-
Participant 14,Zoe Zed,11,zoe@uni.edu,,,-
"""


def test_a_moodle_worksheet_is_matched_by_its_identifier(match):
    found = match(
        MOODLE,
        [
            "Bo Li_13_assignsubmission_file_",
            "Ana Silva_11_assignsubmission_file_",
            "Bo Li_99_assignsubmission_file_",  # a namesake who has left
            "Zoe Zed_98_assignsubmission_file_",
        ],
    )
    assert found.students == {2: "Bo Li_13", 0: "Ana Silva_11"}
    assert list(found.unlisted) == ["Bo Li_99", "Zoe Zed_98"]
    assert list(found.absent.values()) == ["Bo Li (bo@uni.edu)", "Zoe Zed (zoe@uni.edu)"]
    hidden = "Identifiant,Note\nParticipant·e 11,\nParticipant·e 2,10\n"
    names = ["Participant_2_assignsubmission_file_", "Participant_10_assignsubmission_file_"]
    found = match(hidden, names)
    assert found.students == {1: "Participant_2"} and list(found.unlisted) == ["Participant_10"]


def test_a_moodle_download_is_matched_by_unambiguous_names_where_the_list_has_no_ids(match):
    roster = "Nr,First name,Last name\n11,Ana,Silva\n12,Bo,Li\n13,Bo,Li\n14,Zoë,Öz\n15,Ben,May\n"
    names = ["Ana Silva_12", "Bo Li_11", "Zoe\u0308 Oz_15", "May, Ben_14", "Ben_16"]
    found = match(roster, [f"{name}_assignsubmission_file_" for name in names])
    # the numbers are not Moodle's, or Bo would be Ana
    assert found.students == {0: "Ana Silva_12", 3: "Zoe\u0308 Oz_15", 4: "May, Ben_14"}
    assert found.unlisted == {"Bo Li_11": "the roster has this 2 times", "Ben_16": ""}


def test_a_row_that_several_submissions_could_have_gets_no_points(match, written):
    names = [
        "ana",
        "Ana ",
        "ben",
        "Bo Li_8_assignsubmission_file_",
        "Cy Oh_9_assignsubmission_file_",
    ]
    roster = "Login,Name\nana,Ana S\nben,Ben\nbo1,Bo Li\nbo2,Bo Li\ncy,Cy Oh\nzoe,Zoe\n"
    found = match(roster, names)
    assert found.findings() == [
        "3 submissions are not on the roster: ana (2 submissions could be of Ana S (ana)), Ana  "
        "(2 submissions could be of Ana S (ana)), Bo Li_8 (the roster has this 2 times)",
        "3 students on the roster could have one of these submissions, so no points are in "
        "grades.csv: Ana S (ana), Bo Li (bo1), Bo Li (bo2)",
        "1 student on the roster submitted nothing: Zoe (zoe)",
    ]
    rows = list(csv.reader(io.StringIO(written(roster, names).decode())))
    assert [row[3] for row in rows[1:7]] == ["", "3", "", "", "3", "0"]


CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (77)
,,,,,Manual Posting
    Points Possible,,,,,10.00
"Silva, Ana Maria",4711,007,ASilva@uni.edu,A,4711
"Roe, Ben",4712,008,broe,A,4712
"Student, Test",4799,,a1b2c3d4,A,
"""


def test_a_canvas_gradebook_is_matched_by_its_ids(written, match):
    names = ["silvaanamaria_4711_90001_work.zip", "roeben_LATE_4712_90002_echo-1.py"]
    rows = list(csv.reader(io.StringIO(written(CANVAS, names).decode())))
    assert [row[6:] for row in rows] == [
        ["student", "echo_worker", "total", "max"],
        ["", "", "", ""],
        ["", "5", "5", "5"],
        ["silvaanamaria_4711", "3", "3", "5"],
        ["roeben_4712", "3", "3", "5"],
        ["Student, Test (a1b2c3d4)", "0", "0", "5"],
    ]
    assert match(CANVAS, names).findings() == [
        "1 student on the roster submitted nothing: Student, Test (a1b2c3d4)"
    ]
    without_ids = "Name\nAna Maria Silva\nBen Roe\n"
    assert match(without_ids, names).students == {0: "silvaanamaria_4711", 1: "roeben_4712"}


def test_a_gradescope_group_is_in_the_rows_of_all_its_authors(match):
    group = Person("100", ("ana@uni.edu",), "A S"), Person("", ("ben@uni.edu",), "B R")
    uploads = {
        "A S, B R (submission_101)": Upload("A S, B R (submission_101)", group),
        "submission_102": Upload("submission_102", (Person("0200", (), "C Y"),)),
    }
    found = match(
        "Name,SID,Email\nAna Silva,100,x@uni.edu\nBen,,BEN\nCem Yu,200,\nDia,300,\n", uploads
    )
    group = "A S, B R (submission_101)"
    assert found.students == {0: group, 1: group, 2: "submission_102"}
    assert not found.unlisted and list(found.absent.values()) == ["Dia"]


def test_the_submission_of_a_group_is_in_the_rows_of_its_students(match):
    names = ["Team A_12_assignsubmission_file_", "Team C_13_assignsubmission_file_"]
    roster = "Identifier,Full name,Group\nParticipant 11,Ana,Team A\nParticipant 12,Bo,Team B\n"
    found = match(roster + "Participant 14,Cy,Team A\n", names)
    assert found.students == {0: "Team A_12", 2: "Team A_12"}  # 12 is the group's number, not Bo's
    assert list(found.unlisted) == ["Team C_13"] and list(found.absent.values()) == ["Bo"]


@pytest.mark.parametrize(
    ("roster", "names", "rows"),
    [
        ("login\nAna@uni.edu\nben\n", ["ana", "BEN@uni.edu"], {0: "ana", 1: "BEN@uni.edu"}),
        (
            "mail\nana@a.edu\nana@b.edu\nben@a.edu\n",
            ["ana@b.edu", "ben"],
            {1: "ana@b.edu", 2: "ben"},
        ),
        ("mail\nana@a.edu\nana@b.edu\nben@a.edu\n", ["ana", "ben"], {2: "ben"}),
        ("First,Last,Login\nBen,May,bmay\nAna,Roe,aroe\n", ["ben", "aroe"], {1: "aroe"}),
        ('Matrikel,Name\n="00471",Ana\n12345,Ben\n', ["471", "12345"], {0: "471", 1: "12345"}),
        ("github_username,github_id\nana-s,7\nzoe,8\n", ["hw1-ana-s", "hw1-zoe"], {}),
        ("Name\nAna Silva\nBen Roe\n", ["Silva, Ana", "ben_roe"], {0: "Silva, Ana", 1: "ben_roe"}),
        ("Login\nana\nben\n", ["ana", "Ana ", "ben"], {1: "ben"}),
        ("OrgDefinedId,Username\n#12,#ana\n#13,#ben\n", ["ana", "13"], {0: "ana", 1: "13"}),
        ("Name\n'=Ana\nBen\n", ["=Ana", "Ben"], {0: "=Ana", 1: "Ben"}),
    ],
)
def test_folders_are_matched_by_whatever_names_them_without_doubt(match, roster, names, rows):
    uploads = uploads_of(names)
    if not rows:  # repositories: uploads.py finds their logins
        for name, one in uploads.items():
            one.people = (Person(name, (name, name.removeprefix("hw1-")), name),)
        rows = dict(enumerate(names))
    found = match(roster, uploads)
    assert found.students == rows
    assert set(found.unlisted) == set(uploads) - set(rows.values())


def test_a_roster_that_names_no_submission_is_refused(match):
    with pytest.raises(ValueError, match=r"no column of it .* such as 'ana'"):
        match("Name,Login\nBen,ben\n", ["ana"])
    with pytest.raises(ValueError, match="larger than field limit"):
        match('Name,Mark\nBo,"' + "x" * 200_000, ["Bo"])
    for empty in ("", "\ufeff", "sep=;\n"):
        with pytest.raises(ValueError, match="no column"):
            match(empty, ["ana"])


def test_a_roster_that_names_each_submission_twice_is_the_right_one(match):
    found = match("Name\nMei Li\nMei Li\n", ["Mei Li"])
    assert (found.students, found.unlisted) == ({}, {"Mei Li": "the roster has this 2 times"})


def cells(text, delimiter):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@pytest.mark.parametrize(
    ("prefix", "delimiter", "end", "roster"),
    [
        ("\ufeffsep=;\r\n", ";", "\r\n", 'Name;Matrikel;Login\r\n"Silva; Ana, jr";007;ana\r\n'),
        ("", "|", "\n", 'Name|Login|"Two|words"\n"Ana ""A"" S"|ana|1.50\n'),
        ("\ufeff", "\t", "\r", "Name\tLogin\rAna\tana\r"),
        ("", ";", "\n", '"Name, first";Login\n"A, B";ana\n'),
        ("sep=,\n", ",", "\n", 'Login,Tel,Id,At,Mark\nana,+49 (0)151-7,="0047",-,-1.5\n'),
    ],
)
def test_a_list_keeps_its_separator_line_ends_and_values(written, prefix, delimiter, end, roster):
    text = written(prefix + roster, ["ana"]).decode()
    assert text.startswith(prefix) and not text.startswith(2 * prefix or "sep")
    text = text.removeprefix(prefix)
    before, after = cells(roster, delimiter), cells(text, delimiter)
    assert [row[: len(before[0])] for row in after] == before
    assert after[1][len(before[0]) :] == ["ana", "3", "3", "5"]
    assert text.count(end) == len(after) and text.endswith(end)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "＝", "＋", "－", "＠", " =", "⁼"])
def test_a_name_cannot_be_a_formula(written, sign):
    name = f"{sign}cmd|'/c calc'!A1"
    rows = list(
        csv.reader(
            io.StringIO(
                written(f'Login,"{name}"\n"{name}",x\nben,2\n', [name.strip(), "ben"]).decode()
            )
        )
    )
    assert rows[0][1] == rows[1][0] == f"'{name}"
    assert rows[1][3:] == ["3", "3", "5"]


def test_only_a_column_of_an_earlier_run_is_replaced(written):
    lines = written("Login,total,echo_worker\nana,9,8\nben,,\n", ["ana"]).decode().splitlines()
    header, ana, *_ = csv.reader(lines)
    assert header == ["Login", "total", "echo_worker", "student", "echo_worker", "total", "max"]
    assert ana == ["ana", "9", "8", "ana", "3", "3", "5"]
    lines = written("Login,student,add_job,total,max\nana,ana,7,7,9\nben,,,,\n", ["ana"]).decode()
    header = next(csv.reader(lines.splitlines()))
    assert header == ["Login", "student", "add_job", "echo_worker", "total", "max"]


def test_each_cell_is_quoted_so_that_no_part_of_it_is_a_formula(written):
    names = ["Ana;=1+1", "Ana\t=1+1", "Ana\n=1+1"]
    text = written("Name\nBen\n", ["Ben", *names]).decode()
    assert all(f'"{name}"' in text for name in names)


def test_a_list_is_its_own_round_trip(written):
    once = written(MOODLE, ["Bo Li_13_assignsubmission_file_", "Eve_50_assignsubmission_file_"])
    assert (
        written(once, ["Bo Li_13_assignsubmission_file_", "Eve_50_assignsubmission_file_"]) == once
    )
