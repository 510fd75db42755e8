"""The doctor says what is missing, and how to fix it."""

import importlib.metadata
import os
import re
import socket
from types import SimpleNamespace
from unittest.mock import Mock

import jupyter_core.paths
import pytest

from jobs_kit import cli
from jobs_kit.course import places
from jobs_kit.course.places import FIRST
from jobs_kit.grading.batch import own_solutions
from jobs_kit.grading.sandbox.containment import NotContainedError
from jobs_kit.lab import doctor, examine
from jobs_kit.redis_server import find


@pytest.fixture(autouse=True)
def quiet_place(server, monkeypatch):
    """Name a Redis and a free port for the API, so that nothing has to be fixed."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("REDIS_", "JOBS_KIT_")):
            del os.environ[name]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        os.environ["JOBS_KIT_API_PORT"] = str(listener.getsockname()[1])
    os.environ["REDIS_URL"] = server.url
    monkeypatch.setattr(find, "_found", None)
    yield
    os.environ.clear()
    os.environ.update(before)


def the_fault(findings):
    """Return the only finding that has to be fixed, as text."""
    (fault,) = [finding for finding in findings if finding.state == "fix"]
    assert not findings.ok
    return str(fault)


def test_all_is_well_in_one_line_each(server, capsys):
    findings = examine()
    assert findings.ok
    lines = repr(findings).splitlines()
    assert len(lines) == len(findings) == 7
    assert all(line.startswith("ok    ") for line in lines)
    assert f" at 127.0.0.1:{server.port}, named by REDIS_URL" in repr(findings)
    assert cli.main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_grading_is_examined_where_it_is_asked_for(monkeypatch, capsys):
    results = [SimpleNamespace(points=5), SimpleNamespace(points=9)]
    monkeypatch.setattr(own_solutions, "examine", lambda: results)
    assert cli.main(["doctor", "--grading"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("ok    grading") and "all 14 points" in last
    for problem in (NotContainedError("no"), own_solutions.UnfairGradesError("no")):
        monkeypatch.setattr(own_solutions, "examine", Mock(side_effect=problem))
        assert cli.main(["doctor", "--grading"]) == 1
        assert capsys.readouterr().out.splitlines()[-1] == "fix   grading: no"


def test_a_notebook_shows_the_same_lines():
    findings = doctor.Examination([doctor.Finding("a <b>", "fix", "do this & that")])
    assert "fix   a &lt;b&gt;: do this &amp; that" in findings._repr_html_()


def test_the_first_lesson_says_what_each_beginning_of_a_line_means():
    lesson = (places.MATERIAL / "notebooks" / "00_start_here.ipynb").read_text(encoding="utf-8")
    sentence = re.search(r"`ok` means[^.]*\.", lesson)[0]
    assert set(re.findall(r"`(\w+)`", sentence)) == {"ok", "note", "fix"}


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 15, 0)])
def test_an_unsupported_python_is_reported(version):
    finding = doctor.python(version)
    assert finding.state == "fix" and "the kit needs 3.11 to 3.14" in str(finding)


def test_a_redis_that_does_not_answer_is_reported(capsys):
    os.environ["REDIS_URL"] = "redis://ana:secret@127.0.0.1:1"
    fault = the_fault(examine())
    assert "redis://ana:***@127.0.0.1:1" in fault and "Unset the variable" in fault
    assert cli.main(["doctor"]) == 1
    assert "fix   Redis server" in capsys.readouterr().out


def test_the_stand_in_for_a_missing_server_is_reported(monkeypatch):
    monkeypatch.setattr(doctor, "find_programs", lambda: iter([]))
    assert "note  Redis program: none; a stand-in" in repr(examine())
    assert examine().ok


def test_no_redis_at_all_is_reported(monkeypatch):
    monkeypatch.setattr(doctor, "find_programs", lambda: iter([]))
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: name != "fakeredis" and real(name))
    assert "none: install redis-server 6.2 or later" in the_fault(examine())


def test_an_old_redis_on_the_path_is_reported_and_needs_no_fix(monkeypatch, tmp_path):
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\necho Redis server v=6.0.16 sha=0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    finding = doctor.program()
    assert finding.state == "ok" and f"{program} is older than 6.2" in str(finding)


def test_it_starts_nothing(monkeypatch):
    del os.environ["REDIS_URL"]
    findings = examine()
    assert findings.ok and len(findings) == 6
    assert "REDIS_URL" not in os.environ


@pytest.mark.parametrize(
    "required, message",
    [
        ("no-such-package>=1", "no-such-package is missing"),
        ("redis>=99,<100", r"redis 8\S+ \(needed: <100,>=99\)"),
        ("no-such-package; python_version < '3'", ""),
        ("no-such-package; extra == 'test'", ""),
        ("redis[hiredis]>=8", ""),
    ],
)
def test_a_missing_or_old_package_is_reported(monkeypatch, required, message):
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["flask>=3", required])
    finding = doctor.packages()
    assert finding.state == ("fix" if message else "ok")
    assert re.search(f"{message}.*`make lab`" if message else "all [12] as", str(finding))


def test_a_kit_that_is_not_installed_is_reported(monkeypatch):
    def requires(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert "jobs-kit itself is not installed: run `make" in str(doctor.packages())


def test_read_only_folders_are_reported(monkeypatch, tmp_path):
    """The course is in the teacher's folder: every file may be read, none written."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / FIRST).touch()
    assert doctor.folders(tmp_path).state == "ok"
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: mode != os.W_OK)  # root may all
    finding = doctor.folders(tmp_path)
    assert finding.state == "fix" and f"{tmp_path / 'notebooks'} may only be read" in str(finding)
    assert "copy it to your own folder" in str(finding)


def test_an_installed_kit_outside_a_course_folder_is_a_note(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "IS_CLONE", False)
    finding = doctor.folders(tmp_path)
    assert finding.state == "note" and "`jobs-kit start my-course`" in finding.text


def test_a_port_that_is_taken_is_noted():
    """Only noted: it may be the student's own API."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        os.environ["JOBS_KIT_API_PORT"] = str(listener.getsockname()[1])
        assert "`jobs-kit api --port 0` takes a free one" in str(doctor.port())
        assert doctor.port().state == "note" and examine().ok
    assert doctor.port().state == "ok"


def test_an_invalid_port_is_reported():
    os.environ["JOBS_KIT_API_PORT"] = "http"
    assert "JOBS_KIT_API_PORT is 'http'; it must be" in the_fault(examine())


def test_a_missing_front_end_is_reported(monkeypatch, tmp_path):
    extensions = tmp_path / "labextensions"
    monkeypatch.setattr(jupyter_core.paths, "jupyter_path", lambda name: [str(extensions)])
    (extensions / "anywidget").mkdir(parents=True)
    assert "JupyterLab does not find ipywidgets: run `make lab`" in the_fault(examine())
    (extensions / "@jupyter-widgets/jupyterlab-manager").mkdir(parents=True)
    assert examine().ok
