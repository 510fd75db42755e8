"""A cause outside of an answer costs no points, and no answer can pretend one."""

import errno
import importlib.util
import json
from pathlib import Path
from unittest.mock import Mock

from batch_runs import ANYHOW, MOST, RIGHT, points

from jobs_kit.grading import cgroups
from jobs_kit.grading.batch import environment, own_solutions
from jobs_kit.grading.batch.batch import Batch
from jobs_kit.grading.batch.environment import KnownPasses, unreadable_path
from jobs_kit.grading.expectations import CheckError
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.outside_causes import OutsideCauses, _can_be_read, _missing_file
from jobs_kit.grading.sandbox.client import Sandbox, SandboxError

# what another program does to a check, as a hidden check: it ends the Redis, as long as KILLS is there
KILLER = """
import os, pathlib
from jobs_kit.grading import expect
EXERCISE = "echo_worker"
def test_it_waits(submission):
    "It waits while its Redis runs"
    process = submission.start("echo.py")
    submission.settle(process)
    kills = pathlib.Path({kills!r})
    if kills.exists():
        kills.write_text(kills.read_text()[1:]) if kills.read_text() else kills.unlink()
        os.kill(submission.redis.client().info("server")["process_id"], 9)
        submission.until(lambda: not process.running)
    expect(process.running, "it waits", call=process)
"""


def test_a_redis_that_another_program_ended_costs_no_points(place, tmp_path, grade_here):
    place("ana")
    kills = tmp_path / "kills"
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "test_killer.py").write_text(KILLER.format(kills=str(kills)))
    options = (*ANYHOW, "--hidden", tmp_path / "hidden")
    kills.write_text("x" * 9)  # it happens again in the retry, and to the kit's own solution
    code, output = grade_here(tmp_path / "out", *options)
    assert code == 1 and "failed while grading ana (echo_worker)" in output, output
    assert "The first reason: another program ended the Redis" in output
    [exercise] = json.loads((tmp_path / "out" / "results" / "ana.json").read_text())["exercises"]
    assert exercise["outcome"] == "error" and exercise["points"] == MOST
    assert "another program ended the Redis" in exercise["checks"][-1]["message"]
    kills.write_text("")  # once more, and not in the retry
    code, output = grade_here(tmp_path / "out", *options)
    assert code == 0 and "as before" not in output, output
    assert points(tmp_path / "out") == {"ana": MOST + 1}


def test_an_answer_that_alone_stops_its_judge_fails(place, tmp_path, monkeypatch):
    place("ana", text="# stops its judge\n" + RIGHT)
    judged, asked = Judge.check_all, []

    def check(judge, tests, folder, *seconds):
        text = Path(folder, "echo_worker", "echo.py").read_text()
        asked.append("stops its judge" in text)
        if asked[-1]:
            raise RuntimeError("the judge has ended")
        return judged(judge, tests, folder, *seconds)

    monkeypatch.setattr(Judge, "check_all", check)
    monkeypatch.setattr(own_solutions, "require_full_marks", Mock())
    [result] = Batch(place.folder, tmp_path / "out", ["echo_worker"], contained=not ANYHOW).run()
    assert asked == [True, True, False]  # it, it again, and the kit's own solution
    check = result.exercises[0].checks[0]
    assert (check.outcome, result.points, result.max_points) == ("fail", 0, MOST)
    assert "own solution can" in check.expected and "judge ended" in check.got


WRONG = CheckError("it prints")


def test_only_a_lack_of_something_is_a_cause_outside():
    find = OutsideCauses().find
    for problem in (
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EAGAIN, "Resource temporarily unavailable"),
        PermissionError(errno.EACCES, "Permission denied"),
        MemoryError(),
        SandboxError("the sandbox cannot write: No space left on device"),
    ):
        assert "the judge could not go on" in find(problem)
    for problem in (WRONG, FileNotFoundError(errno.ENOENT, "x"), TypeError("x"), None):
        assert find(problem) is None


def test_a_counter_of_the_control_group_that_grows_is_a_cause(tmp_path, monkeypatch):
    group = tmp_path / "group"
    group.mkdir()
    monkeypatch.setattr(cgroups, "PROC", tmp_path)
    (tmp_path / "cgroup").write_text("0::/")
    (tmp_path / "mountinfo").write_text(f"31 23 0:28 / {group} rw - cgroup2 cgroup rw\n")
    (group / "memory.events").write_text("low 0\nmax 5\noom 1\noom_kill 1\n")
    (group / "pids.events").write_text("max 0\n")
    causes = OutsideCauses()
    (group / "memory.events").write_text("low 0\nmax 9\noom 2\noom_kill 1\n")
    assert causes.find(WRONG) is None
    (group / "memory.events").write_text("low 0\nmax 9\noom 2\noom_kill 2\n")
    assert "ran out of memory" in causes.find(WRONG)
    causes = OutsideCauses()
    (group / "pids.events").write_text("max 1\n")
    assert "processes" in causes.find(WRONG)


def test_what_an_answer_could_not_read_is_read_by_a_program_of_the_kit(tmp_path):
    views, missing = importlib.util.find_spec("flask.views").origin, "ModuleNotFoundError"
    for error, path in (
        ({"type": missing, "name": "flask.views"}, views),
        ({"type": missing, "name": "no_such_module"}, None),
        ({"type": missing, "name": "jobs_kit"}, None),
        ({"type": "ImportError", "name": None}, None),
        ({"type": "PackageNotFoundError", "name": "no_such_package"}, None),
        ({"type": "PermissionError", "message": f"Permission denied: '{views}'"}, views),
        ({"type": "PermissionError", "message": "Permission denied: '/etc/shadow'"}, None),
        ({"type": "ValueError", "message": "views"}, None),
    ):
        assert _missing_file(error) == path
    found = _missing_file({"type": "PackageNotFoundError", "name": "flask"})
    assert found.endswith("/METADATA")
    with Sandbox() as sandbox:
        assert _can_be_read(views, sandbox) and not _can_be_read(str(tmp_path), sandbox)


def test_nothing_is_graded_where_the_own_solutions_lose_points(
    place, tmp_path, monkeypatch, grade_here
):
    place("ana")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write, written = own_solutions._write, []

    def write_nothing(folder, target):
        target.mkdir()
        written.append(folder)

    monkeypatch.setattr(own_solutions, "_write", write_nothing)
    code, output = grade_here(tmp_path / "out", *ANYHOW)
    assert written == ["echo_worker", "echo_worker"]  # it tries once more, alone
    assert code == 1 and f"own solutions get 0 of {MOST}" in output, output
    assert "First, echo_worker" in output and "doctor --grading" in output
    assert not (tmp_path / "out" / "grades.csv").exists()
    monkeypatch.setattr(own_solutions, "_write", write)
    assert grade_here(tmp_path / "out", *ANYHOW)[0] == 0
    monkeypatch.setattr(own_solutions, "_write", Mock(side_effect=AssertionError))
    assert grade_here(tmp_path / "out", *ANYHOW)[0] == 0  # it knows that they pass


def test_a_folder_that_student_code_may_not_read_is_named(tmp_path, monkeypatch):
    package = tmp_path / "site packages" / "flask"
    package.mkdir(parents=True)
    monkeypatch.setattr(environment, "FOLDERS", (str(package.parent),))
    monkeypatch.setattr(environment.containment, "has_other_users", lambda: True)
    monkeypatch.setattr(environment.containment, "font_lists", list)
    assert unreadable_path() is None
    package.chmod(0o700)
    assert unreadable_path() == f"'{package}'"


def test_known_passes_are_forgotten_when_the_rights_of_a_package_change(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    package = tmp_path / "packages" / "flask"
    package.mkdir(parents=True)
    monkeypatch.setattr(environment, "FOLDERS", (str(package.parent),))
    monkeypatch.setattr(environment, "_key", environment._key.__wrapped__)
    KnownPasses(True).add(["add_job"])
    assert KnownPasses(True).ids == {"add_job"} and not KnownPasses(False).ids
    package.chmod(0o700)
    assert not KnownPasses(True).ids
