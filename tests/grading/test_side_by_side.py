"""Checks run side by side give the results that they give one after another."""

import os
import time

import pytest

from jobs_kit.grading.limits import CHECKS_AT_ONCE
from jobs_kit.grading.sandbox.client import Sandbox
from jobs_kit.grading.side_by_side import SideBySide


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def run_all(sandbox):
    """run_all(items, run) returns [the result of each item]. needs: see SideBySide."""
    started = []

    def run_all(items, run, needs=lambda item: ()):
        started.append(SideBySide(items, run, needs, sandbox, prepare=lambda branch: None))
        return [started[-1].result(item) for item in items]

    yield run_all
    for forks in started:
        forks.close()


def test_each_result_belongs_to_its_item(run_all):
    items = [f"check {number}" for number in range(3 * CHECKS_AT_ONCE)]
    assert run_all(items, lambda item: {"of": item}) == [{"of": item} for item in items]


def test_checks_that_wait_for_each_other_come_to_an_end(run_all, tmp_path):
    def meet(item):
        (tmp_path / item).touch()
        while len(list(tmp_path.iterdir())) < CHECKS_AT_ONCE:
            time.sleep(0.01)
        return {}

    assert run_all([str(number) for number in range(CHECKS_AT_ONCE)], meet) == [{}] * CHECKS_AT_ONCE


def test_a_check_whose_fork_dies_has_no_result(run_all):
    def run(item):
        if item == "dies":
            os._exit(1)
        return {"of": item}

    assert run_all(["lives", "dies"], run) == [{"of": "lives"}, None]


def test_a_check_that_needs_one_that_has_failed_is_not_run(run_all, monkeypatch):
    monkeypatch.setattr("jobs_kit.grading.side_by_side.CHECKS_AT_ONCE", 1)  # so that it ends first
    needed = {"fails": [], "needs it": ["fails"], "needs that": ["needs it"], "needs none": []}
    fails, *others, last = run_all(
        list(needed), lambda item: {"failed": item == "fails"}, needed.get
    )
    assert fails["failed"] and others == [None, None] and not last["failed"]


def test_a_check_that_is_not_asked_for_is_ended(sandbox, tmp_path):
    def run(item):
        if item == "never asked for":
            time.sleep(3600)
        return {}

    items = ["asked for", "never asked for"]
    forks = SideBySide(items, run, lambda item: (), sandbox, lambda branch: None)
    assert forks.result("asked for") == {}
    forks.close()  # does not wait


def test_a_branch_ends_its_own_processes_alone(sandbox, until):
    branches = [sandbox.branch(number) for number in (0, 1)]
    processes = []
    for branch in branches:
        folder = f"{branch.home}/answer"
        program = b"import os, signal\nprint(os.listdir())\nsignal.pause()"
        branch.write(folder, {"program.py": program})
        task = {"do": "program", "file": "program.py"}
        processes.append(branch.start(task, folder, "/no/redis"))
    for process in processes:
        until(lambda process=process: process.pump() or process.output)
        assert process.output == "['program.py']\n"
    branches[0].end_processes()
    assert processes[0].exit_code == -9
    processes[1].pump()
    assert processes[1].running
    sandbox.end_processes()
    until(lambda: processes[1].pump() or not processes[1].running)
    for branch in branches:
        branch.leave()


def test_ending_all_keeps_the_homes_of_branches_after_a_program_that_draws(sandbox, until):
    folder = f"{sandbox.home}/answer"
    sandbox.write(folder, {"draw.py": b""})
    drawing = sandbox.start({"do": "program", "file": "draw.py"}, folder, "/no/redis", draws=True)
    until(lambda: drawing.pump() or not drawing.running)
    for _ in range(2):
        branch = sandbox.branch(0)
        branch.write(f"{branch.home}/answer", {"program.py": b""})
        sandbox.end_processes()
        branch.leave()
