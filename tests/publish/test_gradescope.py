"""Gradescope's way with the zip file: unpack, set up, grade each submission; as root, in a container."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata

import jsonschema
import pytest
from docker_like import docker_like, root_in_docker

from jobs_kit import cli
from jobs_kit.course.check_files import exercise_points
from jobs_kit.course.exercise import find_exercise
from jobs_kit.course.places import MASTERS, MATERIAL
from jobs_kit.course.starters import all_starters
from jobs_kit.grading.sandbox import containment
from jobs_kit.publish.gradescope import zip_file

ECHO = find_exercise("echo_worker")
MOST = exercise_points(ECHO)
RIGHT = (MASTERS / "echo_worker" / "echo.py").read_text()
HIDDEN = """
from jobs_kit.grading import expect, points
EXERCISE = "echo_worker"
@points(2)
def test_more(source):
    "It has a file"
    expect(source.text("echo.py"), "a file")  # the hidden word: quince
"""
HOSTILE = """
import glob, json, os
seen = []
for place in ("source/hidden", "source/kit/solutions", "submission", "results"):
    try:
        seen.append(os.listdir({autograder!r} + "/" + place))
    except OSError:
        pass
try:
    json.dump({{"score": 100}}, open({autograder!r} + "/results/results.json", "w"))
except OSError:
    pass
print("user", os.getuid(), "saw", seen)
"""
TEXT_FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
RESULTS = {  # https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
    "type": "object",
    "required": ["score", "tests"],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": TEXT_FORMAT,
        "test_output_format": TEXT_FORMAT,
        "test_name_format": TEXT_FORMAT,
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": TEXT_FORMAT,
                },
            },
        },
    },
}


@pytest.fixture
def autograder(tmp_path):
    """Unpack the zip file as Gradescope does; return the folder that is /autograder there."""
    tmp_path.chmod(0o755)
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "test_more.py").write_text(HIDDEN)
    zip_file = tmp_path / "out.zip"
    command = ["gradescope", str(zip_file), "--exercise", "echo_worker"]
    assert cli.main([*command, "--hidden", str(tmp_path / "hidden")]) == 0
    folder = tmp_path / "autograder"
    with zipfile.ZipFile(zip_file) as packed:
        packed.extractall(folder / "source")
        assert packed.getinfo("run_autograder").external_attr >> 16 & 0o111
    (folder / "results").mkdir()
    return folder


@pytest.fixture
def run(autograder, tmp_path):
    """Return a function that runs a script of the zip file as root, without namespaces."""

    def run(script, **environment):
        command = [
            *docker_like(autograder, landlock=False),
            "/bin/bash",
            autograder / "source" / script,
        ]
        environment = {
            "AUTOGRADER": str(autograder),
            "JOBS_KIT_ENVIRONMENT": sys.prefix,
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "MPLCONFIGDIR": containment.font_folder(),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(MATERIAL),
            **environment,
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def grade(autograder, run):
    """Return a function that grades {name: text} as a submission: its results.json and the output."""
    results = autograder / "results" / "results.json"

    def grade(files, **environment):
        subprocess.run(["rm", "-rf", autograder / "submission", results], check=True)
        for name, text in files.items():
            path = autograder / "submission" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        _, output = run("run_autograder", **environment)
        assert results.exists(), output
        report = json.loads(results.read_text())
        jsonschema.validate(report, RESULTS)
        return report, output

    return grade


@root_in_docker()
def test_every_submission_gets_a_result(autograder, run, grade):
    code, output = run("setup.sh")
    assert code == 0, output
    report, output = grade({"echo.py": RIGHT, "submission_notes/echo.py": RIGHT})
    assert report["score"] == MOST + 2 and "an unprivileged user" in output, output
    assert sum(test["max_score"] for test in report["tests"]) == MOST + 2
    report, output = grade({"a/echo_worker/echo.py": HOSTILE.format(autograder=str(autograder))})
    assert report["score"] == 2 and "saw []" in json.dumps(report), report
    assert "quince" not in json.dumps(report)
    report, output = grade({"a/notes.txt": "", "b/notes.txt": ""})
    assert report["score"] == 0 and len(report["tests"]) == 5, output
    report, output = grade({"echo.py": RIGHT}, AUTOGRADER_SECONDS="0.1")
    assert report["score"] == 0 and "longer than 0.1 seconds" in report["output"], output
    (autograder / "source" / "kit" / "exercises").rename(autograder / "lost")
    report, output = grade({"echo.py": RIGHT})
    assert report["score"] == 0 and "Grading failed" in report["output"], output
    assert run("setup.sh")[0] == 1
    report, output = grade({"echo.py": RIGHT}, JOBS_KIT_ENVIRONMENT="/nowhere")
    assert "did not start" in report["output"], output


def test_a_zip_file_names_versions_and_refuses_what_cannot_be_graded(tmp_path, capsys):
    (tmp_path / "notes.zip").write_text("mine")
    (tmp_path / "hidden").mkdir()
    for expected, *options in (
        ("is no autograder", "notes.zip"),
        ("no exercise 'nope'", "a.zip", "--exercise", "nope"),
        ("nothing to grade", "a.zip", "--exercise", "two_shells"),
        ("no checks (test_*.py)", "a.zip", "--hidden", str(tmp_path / "hidden")),
        ("No such file", "nowhere/a.zip"),
    ):
        code = cli.main(["gradescope", f"{tmp_path}/{options[0]}", *options[1:]])
        output = capsys.readouterr().err
        assert code in (1, 2) and expected in output and len(output.splitlines()) == 1, output
    assert (tmp_path / "notes.zip").read_text() == "mine" and not (tmp_path / "a.zip").exists()
    for _ in range(2):
        assert cli.main(["gradescope", f"{tmp_path}/a.zip", "--exercise", "add_job"]) == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        requirements = packed.read("requirements.txt").decode().splitlines()
        assert not [name for name in packed.namelist() if "__pycache__" in name or "tests/" in name]
    assert f"redis=={metadata.version('redis')}" in requirements
    assert any(line.startswith("werkzeug==") for line in requirements)
    assert not any(line.startswith(("celery", "playwright")) for line in requirements)


def test_the_zip_file_has_starters_whatever_is_in_the_clone(tmp_path, monkeypatch):
    shutil.copytree(zip_file.EXERCISES, tmp_path / "exercises")
    (tmp_path / "exercises" / "echo_worker" / "echo.py").write_text("the instructor's own answer")
    (tmp_path / "exercises" / "echo_worker" / "echo.py.bak").write_text("an earlier one")
    monkeypatch.setattr(zip_file, "EXERCISES", tmp_path / "exercises")
    files = dict(zip_file.make_autograder(["echo_worker"]).files())
    folder = {n: data for n, data in files.items() if n.startswith("kit/exercises/echo_worker/")}
    assert {os.path.basename(name) for name in folder} == {
        "echo.py",
        "echo_worker.ipynb",
        "test_echo_worker.py",
    }
    assert folder["kit/exercises/echo_worker/echo.py"] == all_starters()["echo_worker/echo.py"]
