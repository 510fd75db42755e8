"""Whose service a lesson runs, and that the student's files are copied and never written to."""

import json
import subprocess
import sys

import pytest

from jobs_kit.course import starters
from jobs_kit.lab import prepare_service, start_program
from jobs_kit.redis_server.server import start_server

DONE = ("modules", "imports", "save_and_queue")
UPTO = DONE[-1]


@pytest.fixture
def student(tmp_path, monkeypatch):
    """student(ids): in the current directory, an answer that has passed these; its folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "jobs_service"
    folder.mkdir()

    def passes(ids, solved=DONE):
        for name, text in starters.stage("jobs_service", set(solved)).items():
            (folder / name).write_text(f"{text}# mine\n")
        noted = {name: {"passed": True} for name in ids}
        (folder / ".progress.json").write_text(json.dumps(noted))
        return folder

    return passes


def files_of(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_kits_runs_until_yours_has_passed_and_it_says_what_is_missing(student):
    folder = student(["modules"])
    before = files_of(folder)
    service = prepare_service(UPTO)
    assert not service.is_yours
    assert "kit's service" in repr(service)
    assert repr(service).count("imports, save_and_queue") == 1
    laid = starters.stage("jobs_service", set(DONE))
    assert {name: (service.folder / name).read_text() for name in laid} == laid
    assert files_of(folder) == before


def test_yours_runs_once_it_has_passed(student):
    folder = student(DONE)
    (folder / "more.py").write_text("")
    before = files_of(folder)
    service = prepare_service(UPTO)
    assert service.is_yours
    assert "your service in jobs_service" in repr(service)
    assert (service.folder / "jobs.py").read_text().endswith("# mine\n")
    assert (service.folder / "more.py").exists()
    assert files_of(folder) == before, "no file of a student's is touched"


def test_yours_that_works_no_more_is_named(student):
    folder = student(DONE)
    text = (folder / "jobs.py").read_text()
    (folder / "jobs.py").write_text(text.replace("q.put(jid)", "..."))
    service = prepare_service(UPTO)
    assert not service.is_yours
    assert "does not now: check save_and_queue." in repr(service)


def test_yours_that_is_further_than_the_page_waits(student):
    student([*DONE, "add_job"], [*DONE, "add_job"])
    service = prepare_service(UPTO)
    assert not service.is_yours
    assert "has passed add_job" in repr(service)
    assert "_save_job(..., ...)" in (service.folder / "jobs.py").read_text()


def test_a_page_can_ask_for_the_kits(student):
    student(DONE)
    service = prepare_service(UPTO, yours=False)
    assert not service.is_yours
    assert "as it was after save_and_queue" in repr(service)


def test_laid_again_it_is_as_at_first(student):
    student([])
    folder = prepare_service(UPTO).folder
    (folder / "jobs.py").write_text("broken")
    (folder / "hasty.py").write_text("import jobs")
    assert prepare_service(UPTO).folder == folder
    assert (folder / "jobs.py").read_text() == starters.stage("jobs_service", set(DONE))["jobs.py"]
    assert not (folder / "hasty.py").exists()


def test_what_is_laid_can_be_run_where_it_is(student):
    student([])
    folder = prepare_service("failing_job").folder
    dates = "'2012-01-01', '2012-01-31'"
    code = f"import api, worker, analysis; print(analysis.summarize({dates})['days'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.stdout == "31\n", done.stderr


def test_an_unknown_exercise_is_answered_with_those_that_are():
    with pytest.raises(KeyError, match="no exercise 'all'; there are: "):
        prepare_service("all")


CONSUMER = """import json, os
from hotqueue import HotQueue
where = {"host": os.environ["REDIS_HOST"], "port": int(os.environ["REDIS_PORT"])}
for _ in HotQueue("NAME", serializer=json, db=1, socket_timeout=None, **where).consume():
    pass
"""


@pytest.mark.parametrize(
    "whose, queue, warned",
    [("another page's", "queue", True), ("this page's", "queue", False), ("a", "letters", False)],
)
def test_a_worker_of_another_page_is_said(student, monkeypatch, until, whose, queue, warned):
    """It would take the jobs of this page, which then waits for them in vain."""
    student([])
    server = start_server()
    monkeypatch.setenv("REDIS_HOST", server.host)
    monkeypatch.setenv("REDIS_PORT", str(server.port))
    code = CONSUMER.replace("NAME", queue)
    if whose == "this page's":
        worker = start_program(code=code)
    else:
        worker = subprocess.Popen([sys.executable, "-c", code])
    client = server.connect()
    until(lambda: any("b" in one["flags"] for one in client.client_list()))
    assert ("Stop the other worker first" in repr(prepare_service(UPTO))) == warned
    worker.kill()
    server.stop()


def test_without_a_redis_nobody_is_warned_of(student, monkeypatch):
    student([])
    monkeypatch.setenv("REDIS_PORT", "1")
    assert "other worker" not in repr(prepare_service(UPTO))
