"""The workflow for an assignment's repository grades a pull request, with no rights to lose."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from jobs_kit import publish

WORKFLOW = yaml.safe_load(
    Path(publish.__file__).with_name("github").joinpath("grade.yml").read_text()
)
RIGHT = (Path(__file__).parents[2] / "solutions/echo_worker/echo.py").read_text()


def test_a_pull_request_gets_no_rights():
    assert WORKFLOW[True] == {"pull_request": None}  # YAML takes the word `on` for true
    assert WORKFLOW["permissions"] == {"contents": "read"}
    [job] = WORKFLOW["jobs"].values()
    checkout, *_ = job["steps"]
    assert checkout["with"] == {"persist-credentials": False} and "permissions" not in job
    assert not any("${{" in step.get("run", "") for step in job["steps"])


def test_its_step_grades_a_repository_and_writes_a_summary(tmp_path):
    for name, text in (("echo_worker/echo.py", RIGHT), ("lib/echo_worker/more.py", "")):
        path = tmp_path / "repository" / "exercises" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (
        ("sudo", 'exec "$@"'),
        ("jobs-kit", f'exec {sys.executable} -m jobs_kit.cli "$@"'),
    ):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    summary = tmp_path / "summary.md"
    environment = {
        **{name: value for name, value in WORKFLOW["env"].items() if name != "KIT"},
        "OPTIONS": "--exercise echo_worker --exercise two_shells",
        "PATH": f"{programs}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    [step] = [one for one in WORKFLOW["jobs"]["grade"]["steps"] if one.get("name") == "Grade"]
    command = ["bash", "-e", "-c", step["run"]]
    place = tmp_path / "repository"
    subprocess.run(command, cwd=place, env=os.environ | environment, check=True, timeout=200)
    assert "5 of 5 points" in summary.read_text(), summary.read_text()
    assert "| echo_worker | 5 of 5 |  |" in summary.read_text(), summary.read_text()
    assert list((tmp_path / "graded" / "feedback").glob("*.html"))
