"""The service that a lesson runs is the student's or the kit's, and always a copy."""

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
    """Return a function that writes the service of a student and returns its folder.

    student(ids) has passed these exercises.
    """
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "jobs_service"
    folder.mkdir()

    def passes(ids, solved=DONE):
        for name, text in starters.stage("jobs_service", set(solved)).items():
            (folder / name).write_text(f"{text}# mine\n")
        progress = {name: {"passed": True} for name in ids}
        (folder / ".progress.json").write_text(json.dumps(progress))
        return folder

    return passes


def files_of(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_kits_service_runs_until_yours_has_passed_the_exercises_that_it_names(student):
    folder = student(["modules"])
    before = files_of(folder)
    service = prepare_service(UPTO)
    assert not service.is_yours
    assert "kit's service" in repr(service)
    assert repr(service).count("imports, save_and_queue") == 1
    expected = starters.stage("jobs_service", set(DONE))
    assert {name: (service.folder / name).read_text() for name in expected} == expected
    assert files_of(folder) == before


def test_your_service_runs_once_it_has_passed(student):
    folder = student(DONE)
    (folder / "more.py").write_text("")
    before = files_of(folder)
    service = prepare_service(UPTO)
    assert service.is_yours
    assert "your service in jobs_service" in repr(service)
    assert (service.folder / "jobs.py").read_text().endswith("# mine\n")
    assert (service.folder / "more.py").exists()
    assert files_of(folder) == before, "no file of a student's is touched"


def test_your_service_must_fit_a_page_that_replaces_its_jobs(student):
    folder = student(DONE)
    assert prepare_service(UPTO, api_uses=["add_job", "get_job"]).is_yours
    (folder / "api.py").write_text((folder / "api.py").read_text() + "\nclient = jobs.rd\n")
    service = prepare_service(UPTO, api_uses=["add_job", "get_job"])
    assert not service.is_yours
    assert "Your api.py uses rd of jobs.py" in repr(service)
    assert prepare_service(UPTO).is_yours


def test_your_service_is_not_used_if_it_no_longer_passes(student):
    folder = student(DONE)
    text = (folder / "jobs.py").read_text()
    (folder / "jobs.py").write_text(text.replace("q.put(jid)", "..."))
    service = prepare_service(UPTO)
    assert not service.is_yours
    assert "does not now: check save_and_queue." in repr(service)


def test_your_service_is_not_used_if_it_is_ahead_of_the_page(student):
    student([*DONE, "add_job"], [*DONE, "add_job"])
    service = prepare_service(UPTO)
    assert not service.is_yours
    assert "has passed add_job" in repr(service)
    assert "_save_job(..., ...)" in (service.folder / "jobs.py").read_text()


def test_a_page_can_ask_for_the_kits_service(student):
    student(DONE)
    service = prepare_service(UPTO, yours=False)
    assert not service.is_yours
    assert "as it was after save_and_queue" in repr(service)


def test_preparing_a_service_again_restores_its_files(student):
    student([])
    folder = prepare_service(UPTO).folder
    (folder / "jobs.py").write_text("broken")
    (folder / "hasty.py").write_text("import jobs")
    assert prepare_service(UPTO).folder == folder
    assert (folder / "jobs.py").read_text() == starters.stage("jobs_service", set(DONE))["jobs.py"]
    assert not (folder / "hasty.py").exists()


def test_a_prepared_service_can_be_run_in_its_folder(student):
    student([])
    folder = prepare_service("failing_job").folder
    dates = "'2012-01-01', '2012-01-31'"
    code = f"import api, worker, analysis; print(analysis.summarize({dates})['days'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.stdout == "31\n", done.stderr


def test_an_unknown_exercise_is_answered_with_the_known_ones():
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
def test_a_worker_of_another_page_causes_a_warning(
    student, monkeypatch, until, whose, queue, warned
):
    """Such a worker would take the jobs of this page, which would wait for them forever."""
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


def test_without_a_redis_there_is_no_warning(student, monkeypatch):
    student([])
    monkeypatch.setenv("REDIS_PORT", "1")
    assert "other worker" not in repr(prepare_service(UPTO))
