"""Share a judge and folders of submissions among the tests of the grading."""

import pytest
from batch_runs import RIGHT

from jobs_kit import cli
from jobs_kit.cli import instructor
from jobs_kit.grading.judge import Judge


@pytest.fixture(scope="session")
def judge():
    """Yield a Judge that stays, for submissions that are not contained."""
    with Judge() as judge:
        yield judge


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


@pytest.fixture
def grade_here(place, monkeypatch, capsys):
    """Return a grade() that runs in this process, which saves half a second."""
    monkeypatch.setattr(
        instructor, "end_at_sigterm", lambda: None
    )  # these signals are pytest's here

    def grade(out, *options):
        command = ["grade", place.folder, "--out", out, "--exercise", "echo_worker", *options]
        try:
            code = cli.main([str(word) for word in command])
        except SystemExit as ended:
            code = ended.code
        return code, "".join(capsys.readouterr())

    return grade
