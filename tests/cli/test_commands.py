"""What the commands say: their help, and why one of them cannot do what was asked."""

import os
import signal
import subprocess
import sys
from importlib import metadata

import pytest

from jobs_kit import cli
from jobs_kit.cli import instructor, student
from jobs_kit.course import exercise, places, press
from jobs_kit.course.exercise import all_exercises
from jobs_kit.course.gap import all_gaps


def test_help_groups_the_commands_by_their_users(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    _, students, instructors, maintainers = capsys.readouterr().out.split("commands for ")
    assert all(f"  {name} " in students for name in ("start", "check", "hint", "catch-up"))
    assert "  grade " in instructors and "  press " in maintainers
    assert len(cli.all_commands()) == sum(map(len, cli.GROUPS.values()))


@pytest.mark.parametrize("functions", cli.GROUPS.values(), ids=cli.GROUPS)
def test_each_command_has_a_help_text_of_one_sentence(functions, capsys):
    for function in functions:
        with pytest.raises(SystemExit):
            cli.main([cli._name(function), "--help"])
        assert function.__doc__ in " ".join(capsys.readouterr().out.split())


def test_version_is_that_of_the_package(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"jobs-kit {metadata.version('jobs-kit')}\n"


EXERCISE_COMMANDS = {
    "check": ["check"],
    "watch": ["check", "--watch"],
    "hint": ["hint"],
    "solution": ["solution"],
    "catch-up": ["catch-up"],
    "grade": ["grade", "tests", "--out", "/nowhere", "--uncontained", "--exercise"],
}


@pytest.mark.parametrize("words", EXERCISE_COMMANDS.values(), ids=EXERCISE_COMMANDS)
def test_a_mistyped_exercise_is_offered_by_its_name(words, monkeypatch, capsys):
    monkeypatch.setattr(instructor, "end_at_sigterm", lambda: None)
    for name in ("addjob", "Add-Job", "exercises/jobs_service/add_job.ipynb"):
        assert cli.main([*words, name]) == 2
        assert f"no exercise {name!r}: did you mean add_job?" in capsys.readouterr().err


def test_a_mistyped_gap_is_offered_by_its_name(capsys):
    gap = next(iter(all_gaps()))
    assert cli.main(["hint", f"{gap}s"]) == 2
    assert f"did you mean {gap}?" in capsys.readouterr().err


@pytest.mark.parametrize("words", EXERCISE_COMMANDS.values(), ids=EXERCISE_COMMANDS)
def test_the_help_of_a_command_lists_the_exercises(words, capsys):
    with pytest.raises(SystemExit):
        cli.main([words[0], "--help"])
    listed = " ".join(capsys.readouterr().out.split())
    assert f"The exercises are {', '.join(all_exercises())}." in listed


@pytest.fixture
def no_course(monkeypatch, tmp_path):
    """Take the exercises away, as where only the package was installed."""
    monkeypatch.setattr(exercise, "EXERCISES", tmp_path / "exercises")
    monkeypatch.setattr(instructor, "end_at_sigterm", lambda: None)
    all_exercises.cache_clear()
    yield
    all_exercises.cache_clear()


@pytest.mark.parametrize("words", [*EXERCISE_COMMANDS.values(), ["press"]], ids=" ".join)
def test_without_its_course_a_command_says_what_to_do(no_course, words, capsys):
    assert cli.main(words if words == ["press"] else [*words, "add_job"]) == 1
    assert "the exercises are missing" in (printed := capsys.readouterr()).err
    assert "Get the whole kit again" in printed.err and printed.out == ""


def test_without_its_course_a_check_of_all_fails(no_course, capsys):
    assert cli.main(["check"]) == cli.main(["check", "--watch"]) == 1
    with pytest.raises(SystemExit) as ended:
        cli.main(["check", "--help"])
    assert ended.value.code == 0 and "the exercises are missing" in capsys.readouterr().out


# all commands for students, and how one that needs a course is called
NEEDS_COURSE = {
    "start": [["start"], ["start", "--no-browser"]],
    "check": [["check"], ["check", "echo_worker", "add_job"], ["check", "--watch"]],
    "hint": [["hint", "add_job"]],
    "solution": [["solution", "two_shells"]],
    "catch_up": [["catch-up", "execute_job"]],
}
NEEDS_NONE = {"doctor", "redis", "run", "api", "worker"}


def test_all_commands_for_students_are_known_here():
    assert {function.__name__ for function in student.COMMANDS} == NEEDS_COURSE.keys() | NEEDS_NONE


@pytest.mark.parametrize(
    "words", [words for calls in NEEDS_COURSE.values() for words in calls], ids=" ".join
)
def test_outside_a_course_folder_a_command_says_what_to_do(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(places, "IS_CLONE", False)
    monkeypatch.setattr(student, "end_at_sigterm", lambda: None)
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 1
    printed = capsys.readouterr()
    assert "`jobs-kit start my-course` sets up a new one" in printed.err and printed.out == ""
    assert list(tmp_path.iterdir()) == []


def test_an_installed_kit_presses_nothing(monkeypatch, capsys):
    monkeypatch.setattr(press, "IS_CLONE", False)
    assert cli.main(["press"]) == 1
    assert "clone its repository" in capsys.readouterr().err


def test_a_missing_package_is_reported(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jobs_kit.worker", None)
    assert cli.main(["worker"]) == 1
    assert "`make lab`" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "jobs_kit.cli", "hint", "modules"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")
