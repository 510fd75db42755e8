"""A class is graded: every hand-in understood, every verdict in its place, nothing done twice."""

import csv
import errno
import json
import os
import resource
import signal
import subprocess
import sys
import zipfile
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock
from xml.etree import ElementTree

import pytest
from cases import write_stage

from jobs_kit import cli
from jobs_kit.course.exercise import all_exercises, find_exercise
from jobs_kit.grading.batch.batch import Batch
from jobs_kit.grading.batch.hand_ins import ignored_files, read, students
from jobs_kit.grading.batch.out_folder import file_name, locked, read_result, write_whole
from jobs_kit.grading.batch.reports import grades_csv, summary
from jobs_kit.grading.batch.rosters import read_roster
from jobs_kit.grading.check_files import exercise_points
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.results import CheckResult, ExerciseResult, SubmissionResult
from jobs_kit.grading.sandbox import containment

ECHO = """from hotqueue import HotQueue
q = HotQueue("echo")
@q.worker
def echo(item):
    print(item)
"""
RIGHT, WRONG = ECHO + "echo()\n", ECHO  # never called
MOST = exercise_points(find_exercise("echo_worker"))
HUNG = "while True:\n    pass\n"


def can_contain():
    try:
        containment.require()
    except containment.NotContainedError as problem:
        return str(problem)
    return ""


contained = pytest.mark.skipif(
    bool(can_contain()), reason=f"nothing to contain with: {can_contain()}"
)


@pytest.fixture
def place(tmp_path):
    """Return a function that adds a file to a folder of submissions, place.folder."""
    folder = tmp_path / "submissions"
    folder.mkdir()

    def add(student, name="echo_worker/echo.py", text=RIGHT):
        path = folder / student / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    add.folder = folder
    return add


def grade(place, out, *options, **others):
    command = [sys.executable, "-m", "jobs_kit.cli", "grade", place.folder, "--out", out]
    command += ["--exercise", "echo_worker", "--jobs", "1", *options]  # to start one takes longest
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, **others)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def grade_here(place, monkeypatch, capsys):
    """Return grade() without a process of its own, and so without the half second it needs."""
    monkeypatch.setattr(cli, "_end_at_sigterm", lambda: None)  # these signals are pytest's here

    def grade(out, *options):
        command = ["grade", place.folder, "--out", out, "--exercise", "echo_worker", *options]
        try:
            code = cli.main([str(word) for word in command])
        except SystemExit as ended:
            code = ended.code
        return code, "".join(capsys.readouterr())

    return grade


def grades(out):
    with open(out / "grades.csv", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def points(out):
    return {student: float(row["echo_worker"]) for student, row in grades(out).items()}


@contained
def test_a_class_is_graded_and_each_gets_what_is_due(place, tmp_path):
    place("ana")
    place("ben", text=WRONG)
    place("cem", text=HUNG)
    (place.folder / "dia").mkdir()
    code, said = grade(place, tmp_path / "out")
    assert code == 0, said
    assert points(tmp_path / "out") == {"ana": MOST, "ben": 0, "cem": 0, "dia": 0}
    outcomes = {
        name: json.loads((tmp_path / "out" / "results" / f"{name}.json").read_text())["exercises"][
            0
        ]
        for name in ("ana", "ben", "cem", "dia")
    }
    assert {n: one["outcome"] for n, one in outcomes.items()} == {
        "ana": "pass",
        "ben": "fail",
        "cem": "timeout",
        "dia": "not attempted",
    }
    assert "which line calls it" in (tmp_path / "out" / "feedback" / "ben.html").read_text()
    summary = (tmp_path / "out" / "summary.html").read_text()
    assert "4 submissions" in summary and "bubblewrap" in summary
    suites = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot()
    assert [suite.get("name") for suite in suites] == ["ana", "ben", "cem", "dia"]
    assert [int(suite.get("failures")) > 0 for suite in suites] == [False, True, True, False]


@contained
@pytest.mark.slow
def test_the_same_grades_whatever_the_number_of_judges(place, tmp_path):
    for number in range(4):
        place(f"student{number}", text=(RIGHT, WRONG)[number % 2])
    for jobs in ("1", "3"):
        assert grade(place, tmp_path / jobs, "--jobs", jobs)[0] == 0
    assert (tmp_path / "1/grades.csv").read_text() == (tmp_path / "3/grades.csv").read_text()


@contained
@pytest.mark.slow
def test_a_batch_that_was_killed_goes_on_where_it_was(place, tmp_path, run_and_read, until):
    for number in range(8):
        place(f"student{number}", text=(RIGHT, WRONG)[number % 2])
    out = tmp_path / "out"
    command = ("-m", "jobs_kit.cli", "grade", str(place.folder), "--out", str(out), "--jobs", "1")
    batch = run_and_read(*command, "--exercise", "echo_worker")
    until(lambda: len(list((out / "results").glob("*.json"))) >= 2, seconds=60)
    batch.send_signal(signal.SIGKILL)
    batch.wait()
    batch.reader.join(60)  # its judges end, too, and say nothing of it
    assert "Traceback" not in "".join(batch.said)
    done = {path.name: path.stat().st_mtime_ns for path in (out / "results").glob("*.json")}
    assert len(done) < 8
    code, said = grade(place, out)
    assert code == 0
    assert said.count("as before") == len(done)
    assert all((out / "results" / name).stat().st_mtime_ns == at for name, at in done.items())
    assert points(out) == {f"student{n}": (MOST, 0)[n % 2] for n in range(8)}


@contained
def test_only_what_was_handed_in_again_is_graded_again(place, tmp_path):
    place("ana", text=WRONG)
    place("ben")
    grade(place, tmp_path / "out")
    place("ana")
    said = grade(place, tmp_path / "out")[1]
    full = f"{MOST} of {MOST} points"
    assert f"ana: {full} (" in said and f"ben: {full} (as before)" in said
    assert points(tmp_path / "out") == {"ana": MOST, "ben": MOST}


@contained
@pytest.mark.slow
def test_only_and_since_leave_the_others_as_they_are(place, tmp_path):
    for name in ("ana", "ben"):
        place(name, text=WRONG)
    grade(place, tmp_path / "out")
    for name in ("ana", "ben"):
        os.utime(place(name), (0, 2_000_000_000 if name == "ana" else 1_000_000_000))
    assert grade(place, tmp_path / "out", "--since", "2030-01-01")[0] == 0
    assert points(tmp_path / "out") == {"ana": MOST, "ben": 0}
    assert grade(place, tmp_path / "out", "--only", "ben")[0] == 0
    assert points(tmp_path / "out") == {"ana": MOST, "ben": MOST}
    code, said = grade(place, tmp_path / "out", "--only", "zoe")
    assert code == 2 and "zoe" in said


@pytest.mark.slow
def test_a_result_of_other_exercises_does_not_stand_for_those_that_are_asked_for(place, tmp_path):
    for name in ("ana", "ben"):
        place(name)
    grade(place, tmp_path / "out", "--uncontained")
    more = ("--exercise", "two_shells", "--exercise", "echo_worker")
    assert grade(place, tmp_path / "out", "--uncontained", "--only", "ana", *more)[0] == 0
    for row in grades(tmp_path / "out").values():
        assert (row["two_shells"], row["echo_worker"]) == ("missing", str(MOST))
        assert row["total"] == row["max"] == str(MOST)


@pytest.mark.parametrize("text", ["", "[]", "7", '{"digest": 1}', '{"student": "ana", "exerc'])
def test_a_result_that_is_no_whole_one_is_made_anew(tmp_path, text):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "ana.json").write_text(text)
    assert read_result(tmp_path, "ana") is None


def test_where_judging_itself_fails_it_is_said_and_tried_anew(place, tmp_path, monkeypatch, capsys):
    place("ana")
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(cli, "_end_at_sigterm", lambda: None)  # these signals are pytest's here
    monkeypatch.setattr(Judge, "check_all", lambda *_, **__: [])  # as where /tmp has no room
    command = ["grade", str(place.folder), "--out", str(tmp_path / "out"), "--uncontained"]
    for _ in range(2):
        assert cli.main([*command, "--exercise", "echo_worker"]) == 0
        said = capsys.readouterr().out
        assert "no points are final, for ana (echo_worker)" in said and "as before" not in said
    monkeypatch.setattr(Path, "write_bytes", Mock(side_effect=full))
    assert cli.main([*command, "--exercise", "echo_worker"]) == 1
    assert "No space left" in capsys.readouterr().err
    monkeypatch.undo()
    assert grade(place, tmp_path / "out", "--uncontained")[0] == 0
    assert points(tmp_path / "out") == {"ana": MOST}


def test_where_a_judge_ends_again_and_again_it_is_said_and_tried_anew(place, tmp_path, monkeypatch):
    place("ana")
    judged = Judge.check_all

    def check(judge, tests, folder, seconds=300):
        if (Path(folder) / "echo_worker" / "echo.py").exists():
            raise RuntimeError("the judge has ended")
        return judged(judge, tests, folder, seconds)

    monkeypatch.setattr(Judge, "check_all", check)
    run = partial(Batch, place.folder, tmp_path / "out", ["echo_worker"], contained=False)
    result = run().run()[0].exercises[0]
    assert (result.outcome, result.points, result.max_points) == ("error", 0, MOST)
    assert "judge has ended before it had a verdict" in result.checks[0].message
    monkeypatch.undo()
    assert run().run()[0].points == MOST


@contained
@pytest.mark.slow
def test_a_roster_keeps_its_columns_and_everybody_on_it(place, tmp_path):
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
def test_a_roster_may_be_separated_by_semicolons(place, tmp_path):
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


@pytest.mark.parametrize("most", [1, 5, 10, 83])
def test_everybody_is_counted_once_in_the_summary(most):
    bins = summary._bins([*range(most + 1), most], most)
    assert bins[0][0] == 0 and bins[-1][1] == most and len(bins) <= 10
    assert all(low <= high for low, high, _ in bins)
    assert all(before[1] + 1 == after[0] for before, after in pairwise(bins))
    assert [n for *_, n in bins[:-1]] == [high - low + 1 for low, high, _ in bins[:-1]]
    assert sum(n for *_, n in bins) == most + 2


def test_a_file_is_written_as_a_whole_or_stays_as_it_was(tmp_path):
    path = tmp_path / "grades.csv"
    write_whole(path, "as before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    full = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_whole(path, "x" * 9999)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, full)
    assert path.read_text() == "as before" and os.listdir(tmp_path) == ["grades.csv"]


def test_what_would_spoil_the_whole_run_is_said_before_it(place, grade_here, tmp_path):
    place("ana")
    (tmp_path / "file").touch()
    (tmp_path / "wrong.csv").write_text("Name,Login\nBen,ben\n")
    (tmp_path / "utf16.csv").write_text("Login\nana\n", "utf-16")
    checks = {"test_a.py": "def (", "test_b.py": "EXERCISE = 'nope'", "test_add_job.py": ""}
    checks |= {"test_c.py": "raise SystemExit", "test_d.py": "EXERCISE = 'two_shells'"}
    for name, text in checks.items():
        (tmp_path / name.removesuffix(".py")).mkdir()
        (tmp_path / name.removesuffix(".py") / name).write_text(text)
    for said, out, *options in (
        ("name a folder elsewhere", place.folder / "out"),
        ("name a folder elsewhere", place.folder / "out", "--gradescope"),
        ("is a file", tmp_path / "file"),
        ("is a file", tmp_path / "file", "--gradescope"),
        ("such as 'ana'", None, "--roster", tmp_path / "wrong.csv"),
        ("UTF-8", None, "--roster", tmp_path / "utf16.csv"),
        ("Mend it", None, "--hidden", tmp_path / "test_a"),
        ("there is no exercise 'nope'", None, "--hidden", tmp_path / "test_b"),
        ("another one", None, "--hidden", tmp_path / "test_add_job"),
        ("Mend it", None, "--hidden", tmp_path / "test_c"),
        ("two_shells leaves nothing", None, "--hidden", tmp_path / "test_d"),
        ("one at least", None, "--jobs", "-3"),
        ("write a day", None, "--since", ""),
        ("write a day", None, "--since", "27.11.2026"),
    ):
        code, told = grade_here(out or tmp_path / "out", "--uncontained", *options)
        assert code in (1, 2) and said in told and "Traceback" not in told, told
        assert len(told.splitlines()) == 1, told
    assert not (tmp_path / "out").exists() and not (place.folder / "out").exists()


def test_two_runs_do_not_write_into_one_folder(place, tmp_path):
    place("ana")
    out = tmp_path / "out"
    out.mkdir()
    with locked(out):
        code, said = grade(place, out, "--uncontained")
    assert code == 1 and "another run" in said and not (out / "grades.csv").exists()


@contained
def test_where_no_judge_comes_up_nobody_gets_a_grade(place, tmp_path):
    place("ana")
    long = tmp_path / ("x" * 100)  # no socket can have so long a path
    long.mkdir()
    environment = os.environ | {"TMPDIR": str(long)}
    code, said = grade(place, tmp_path / "out", env=environment)
    assert code == 1 and "no judge comes up" in said
    assert not (tmp_path / "out" / "grades.csv").exists()


@contained
def test_an_interrupted_run_says_how_it_goes_on_and_leaves_nothing(
    place, tmp_path, tmp_path_factory, run_and_read, until
):
    place("ana")
    place("ben", text=HUNG)
    out, mine = tmp_path / "out", tmp_path_factory.mktemp("t")
    command = ("-m", "jobs_kit.cli", "grade", str(place.folder), "--out", str(out), "--jobs", "1")
    batch = run_and_read(*command, "--exercise", "echo_worker", TMPDIR=str(mine))
    until(lambda: (out / "results" / "ana.json").exists(), seconds=60)
    batch.send_signal(signal.SIGINT)
    assert batch.wait(60) == 130
    batch.reader.join(60)
    assert "the same command again goes on" in "".join(batch.said)
    until(lambda: not os.listdir(mine), seconds=60)


def test_long_names_that_begin_alike_are_two_students():
    names = [f"Константин Константинопольский_{number}" for number in "12"]
    assert len({file_name(name) for name in names}) == 2


@contained
def test_hidden_checks_count_and_do_not_show_their_code(place, tmp_path):
    place("ana")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "test_style.py").write_text(
        '"""More checks."""\nfrom jobs_kit.grading import expect, points\n'
        'EXERCISE = "echo_worker"\n@points(3)\ndef test_a_docstring(source):\n'
        '    """The file says what it does"""\n    secret_name = source.text("echo.py")\n'
        '    expect(secret_name.startswith(\'"""\'), "a docstring", call="echo.py", got="none")\n'
    )
    assert grade(place, tmp_path / "out", "--hidden", hidden)[0] == 0
    assert grades(tmp_path / "out")["ana"]["echo_worker"] == str(MOST)
    assert grades(tmp_path / "out")["ana"]["max"] == str(MOST + 3)
    page = (tmp_path / "out" / "feedback" / "ana.html").read_text()
    assert "a docstring" in page and "secret_name" not in page


@pytest.mark.slow
def test_hidden_checks_without_a_verdict_count_all_the_same(place, tmp_path, monkeypatch):
    place("ana")
    place("ben", text=WRONG)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    begun = "from jobs_kit.grading import points\nEXERCISE = 'echo_worker'\n"
    (hidden / "test_a.py").write_text(begun + "@points(2)\ndef test_a(source):\n    pass\n")
    begun += "import time\n"
    (hidden / "test_b.py").write_text(begun + "def test_b(source):\n    time.sleep(9999)\n")
    other = "EXERCISE = 'add_job'\ndef test_c(source):\n    raise SystemError\n"
    (hidden / "test_c.py").write_text(other)  # of an exercise that nobody asked for
    monkeypatch.setattr("jobs_kit.grading.limits.SUBMISSION_TIMEOUT_SECONDS", 8)
    results = Batch(
        place.folder, tmp_path / "out", ["echo_worker"], 2, hidden, contained=False
    ).run()
    assert [(one.points, one.max_points) for one in results] == [
        (MOST + 2, MOST + 3),
        (2, MOST + 3),
    ]
    exercise = results[0].exercises[0]
    assert (exercise.checks[-1].name, exercise.checks[-1].outcome) == ("test_b", "timeout")
    assert exercise.outcome == "timeout"


@contained
@pytest.mark.slow
def test_gradescope_gets_its_file_and_gets_one_after_a_crash_too(place, tmp_path):
    place("ana")
    assert grade(place, tmp_path / "out", "--gradescope")[0] == 0
    made = json.loads((tmp_path / "out" / "results.json").read_text())
    assert made["score"] == MOST and made["tests"]
    assert {test["status"] for test in made["tests"]} == {"passed"}
    place("ben")  # of two there is no one result, and none that says that there is none
    assert grade(place, tmp_path / "out", "--gradescope")[0] == 0
    assert not (tmp_path / "out" / "results.json").exists()
    assert len(list((tmp_path / "out" / "gradescope").glob("*/results.json"))) == 2
    code, said = grade(place, tmp_path / "other", "--gradescope", "--hidden", tmp_path / "nowhere")
    assert code == 1 and "nowhere" in said
    made = json.loads((tmp_path / "other" / "results.json").read_text())
    assert made["score"] == 0 and "nowhere" in made["output"]


def test_where_nothing_contains_student_code_it_is_refused(place, tmp_path, monkeypatch):
    place("ana")
    monkeypatch.setattr(sys, "platform", "elsewhere")
    with pytest.raises(containment.NotContainedError, match="only Linux"):
        Batch(place.folder, tmp_path / "out")
    Batch(place.folder, tmp_path / "out", contained=False)


@contained
def test_where_only_the_kernel_could_refuse_files_and_does_not_it_is_refused(monkeypatch):
    monkeypatch.setattr(containment, "has_landlock", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(containment.NotContainedError, match="as you"):
        containment.require()
    assert not any("Landlock" in one for one in containment.containment_measures(None))


def test_a_run_without_containment_says_so(place, tmp_path):
    place("ana")
    code, said = grade(place, tmp_path / "out", "--uncontained")
    assert code == 0 and "asked not to contain" in said
    assert points(tmp_path / "out") == {"ana": MOST}


def test_two_shells_is_told_by_its_evidence_and_has_no_points(place, tmp_path):
    queue = {"most": 3, "all_taken": True, "in_order": True}
    for name, queues in (("ana", [queue]), ("ben", [queue | {"most": 2}]), ("cem", [])):
        evidence = {"watches": [{"queues": queues}]}
        place(name, "two_shells/.evidence.json", json.dumps(evidence))
    place("dia", "two_shells/.evidence.json", "[7")
    command = [
        sys.executable,
        "-m",
        "jobs_kit.cli",
        "grade",
        place.folder,
        "--out",
        tmp_path / "out",
    ]
    subprocess.run([*command, "--uncontained", "--exercise", "two_shells"], check=True)
    rows = grades(tmp_path / "out")
    assert {name: row["two_shells"] for name, row in rows.items()} == {
        "ana": "recorded",
        "ben": "missing",
        "cem": "missing",
        "dia": "missing",
    }
    assert rows["ana"]["max"] == "0"


# What was handed in


def files(path):
    return files_of("ana", path)


def files_of(student, path):
    return {f"{folder}/{name}": data for (folder, name), data in read(student, path).files.items()}


@pytest.mark.parametrize(
    "name",
    ["echo_worker/echo.py", "echo.py", "final/echo.py", "final/exercises/echo_worker/echo.py"],
)
def test_a_file_is_found_wherever_it_lies(place, name):
    place("ana", name)
    assert files(place.folder / "ana") == {"echo_worker/echo.py": RIGHT.encode()}


def test_the_service_may_lie_flat_and_the_bugs_in_their_folder(place):
    for name in ("jobs.py", "clients.py", "find_the_bugs/jobs.py", ".progress.json"):
        place("ana", name, name)
    assert set(files(place.folder / "ana")) == {
        "jobs_service/jobs.py",
        "jobs_service/clients.py",
        "jobs_service/.progress.json",
        "find_the_bugs/jobs.py",
    }


@pytest.mark.parametrize("inside", ["work.zip", "../ana.zip"])
def test_a_zip_file_is_opened(place, inside):
    (place.folder / "ana").mkdir()
    with zipfile.ZipFile(place.folder / "ana" / inside, "w") as packed:
        packed.writestr("me/jobs_service/jobs.py", "one")
        packed.writestr("me/echo.py", "two")
    if inside != "work.zip":
        (place.folder / "ana").rmdir()
    path = students(place.folder)["ana"]
    assert files(path) == {"jobs_service/jobs.py": b"one", "echo_worker/echo.py": b"two"}


def notebook(*sources):
    cells = [{"cell_type": "code", "source": source} for source in sources]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def test_a_notebook_alone_is_read(place):
    place("ana", "echo_worker.ipynb", notebook("from jobs_kit.lab import check", "%cd x", RIGHT))
    place("ana", "add_job.ipynb", notebook("%%writefile jobs.py\nx = 1\n", "check('add_job')"))
    assert files(place.folder / "ana") == {
        "echo_worker/echo.py": RIGHT.encode(),
        "jobs_service/jobs.py": b"x = 1\n",
    }


def test_what_cannot_be_read_is_said_for_that_student_alone(place):
    place("ana", "work.zip", "this is no zip file")
    place("ana", "echo.ipynb", "this is no notebook")
    place("ana", "jobs.py", "x" * 9_000_000)
    place("ana", "echo.py")
    submission = read("ana", place.folder / "ana")
    said = "\n".join(submission.remarks)
    assert all(word in said for word in ("work.zip", "echo.ipynb", "jobs.py is too large"))
    assert set(submission.files) == {("echo_worker", "echo.py")}


KIT = ["exercises/echo_worker/echo.py", "jobs_kit/__init__.py", "jobs_kit/jobs.py"]
KIT += ["solutions/echo_worker/echo.py", "tests/cases/echo_worker/loop_by_hand/echo.py"]


def test_of_the_whole_kit_only_the_exercises_are_looked_at(place):
    (place.folder / "ben").mkdir()
    with zipfile.ZipFile(place.folder / "ben" / "kit.zip", "w") as packed:
        for name in reversed(KIT):
            place("ana", f"kit/{name}", name)
            packed.writestr(f"kit/{name}", name)
    for student in ("ana", "ben"):
        found = read(student, place.folder / student)
        assert found.files == {("echo_worker", "echo.py"): KIT[0].encode()}
        assert "only its exercises/" in found.remarks[0]


def test_files_that_are_no_answer_take_no_room_from_it(place):
    for number in range(301):
        for name in (f"data/{number}.csv", f"env/lib/site-packages/a{number}.py", f"a{number}.py"):
            place("ana", name, "1")
    place("ana", "echo.py")
    assert files(place.folder / "ana")["echo_worker/echo.py"] == RIGHT.encode()


@pytest.mark.parametrize("name", ["echo-1.py", "echo (1).py", "echo-Copy1.py"])
def test_a_name_that_a_download_has_changed_is_given_back(place, name):
    place("ana", f"echo_worker/{name}", WRONG)
    place("ana", f"echo_worker/{name.replace('1', '10')}")
    assert files(place.folder / "ana")["echo_worker/echo.py"] == RIGHT.encode()
    assert "taken for echo.py" in read("ana", place.folder / "ana").remarks[0]
    place("ana", text="its own")
    assert files(place.folder / "ana")["echo_worker/echo.py"] == b"its own"


def test_a_second_copy_is_said_where_it_differs(place):
    for name in ("echo.py", "same/echo.py", "other/echo.py"):
        place("ana", name, WRONG if name.startswith("other") else RIGHT)
    submission = read("ana", place.folder / "ana")
    assert submission.files == {("echo_worker", "echo.py"): RIGHT.encode()}
    assert len(submission.remarks) == 1 and "other/echo.py is a second" in submission.remarks[0]


def test_what_is_packed_otherwise_is_said(place):
    place("ana", "work.tar.gz", "x")
    with zipfile.ZipFile(place.folder / "ana" / "w.zip", "w") as packed:
        packed.writestr("again.ZIP", "x")
    said = " ".join(read("ana", place.folder / "ana").remarks)
    assert "work.tar.gz" in said and "again.ZIP" in said and "one zip file" in said


def test_a_broken_file_of_a_zip_file_costs_that_file_alone(place):
    path = place("ana", "w.zip", "")
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("echo_worker/a.py", "# to be broken")
        packed.writestr("echo_worker\\", "")
        packed.writestr("echo_worker\\echo.py", RIGHT)
    path.write_bytes(path.read_bytes().replace(b"# to be broken", b"# now it is so"))
    submission = read("ana", place.folder / "ana")
    assert submission.files == {("echo_worker", "echo.py"): RIGHT.encode()}
    assert len(submission.remarks) == 1 and "a.py cannot be unpacked" in submission.remarks[0]


def test_a_folder_that_cannot_be_read_costs_that_folder_alone(place, monkeypatch):
    place("ana", "echo.py")
    place("ana", "a/locked.py")
    scan = os.scandir

    def refused(path):  # root would be let in
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    submission = read("ana", place.folder / "ana")
    assert submission.files == {("echo_worker", "echo.py"): RIGHT.encode()}
    assert submission.remarks == ["a cannot be read: Permission denied"]


def test_a_cell_may_add_to_a_file_and_name_its_folder(place):
    cells = "%%writefile jobs.py\nx = 1", "%%writefile -a jobs.py\ny = 2\n"
    place("ana", "a.ipynb", notebook(*cells, "%%writefile ../find_the_bugs/jobs.py\nz = 3\n"))
    assert files(place.folder / "ana") == {
        "jobs_service/jobs.py": b"x = 1\ny = 2\n",
        "find_the_bugs/jobs.py": b"z = 3\n",
    }


def test_what_lies_beside_the_students_is_said(place, tmp_path):
    place("ana")
    for name in ("roe_12_echo.py", "doejane_12_34_echo.txt", "ben.rar"):
        (place.folder / name).write_text(RIGHT)
    (place.folder / "linked").symlink_to(place.folder / "ana")
    assert ignored_files(place.folder) == [
        "ben.rar",
        "doejane_12_34_echo.txt",
        "linked",
        "roe_12_echo.py",
    ]
    code, said = grade(place, tmp_path / "out", "--uncontained")
    assert code == 0 and "Left aside" in said and "doejane_12_34_echo.txt" in said


def test_loose_files_with_the_names_that_canvas_gives_are_sorted_to_their_students(place):
    place("roe_7")
    names = "doe_7_81_jobs.py", "doe_7_82_echo-1.py", "roe_LATE_7_83_echo.py", "roe_8_84_jobs.py"
    for name in names:
        (place.folder / name).write_text(name)
    (place.folder / "doe_7_85_api.py").symlink_to(place.folder / names[0])
    found = {name: files_of(name, path) for name, path in students(place.folder).items()}
    assert {name: set(one) for name, one in found.items()} == {
        "doe_7": {"jobs_service/jobs.py", "jobs_service/echo-1.py", "echo_worker/echo.py"},
        "roe_7": {"echo_worker/echo.py"},
        "roe_7 (files)": {"echo_worker/echo.py"},
        "roe_8": {"jobs_service/jobs.py"},
    }
    assert found["doe_7"]["echo_worker/echo.py"] == names[1].encode()
    assert ignored_files(place.folder) == ["doe_7_85_api.py"]


def test_a_single_hand_in_is_one_student_and_is_said_to_be(place, tmp_path):
    place("ana")
    assert list(students(place.folder / "ana")) == ["ana"]
    assert "as one student" not in grade(place, tmp_path / "out", "--uncontained")[1]
    (place.folder / "echo.py").write_text(WRONG)  # left among the students, by mistake
    assert "as one student" in grade(place, tmp_path / "out", "--uncontained")[1]


@pytest.mark.slow
def test_a_class_of_masters_gets_full_marks(place, tmp_path):
    exercises = [one for one in all_exercises().values() if one.files]
    last = {one.folder: one for one in exercises}
    for folder, exercise in last.items():
        write_stage(exercise, place.folder / "ana" / folder, "final")
    result = Batch(place.folder, tmp_path / "out", contained=not can_contain()).run()[0]
    assert result.points == result.max_points > 80, json.dumps(result.to_dict(), indent=1)


def test_nothing_is_left_behind(place, tmp_path, until):
    import psutil

    place("ana")
    before = set(psutil.Process().children(recursive=True))
    Batch(
        place.folder, tmp_path / "out", exercises=["echo_worker"], contained=not can_contain()
    ).run()
    until(lambda: set(psutil.Process().children(recursive=True)) <= before)
    assert sorted(os.listdir(tmp_path)) == ["out", "submissions"]
