"""The file browser of a clone shows what students need; every file still opens by its path."""

import json
import subprocess
from pathlib import Path

import pytest
from jupyter_server.services.contents.largefilemanager import LargeFileManager
from traitlets.config import Config

from jobs_kit.lab.jupyter import FILE_BROWSER

ROOT = Path(__file__).parents[2]


@pytest.fixture
def contents():
    """Return JupyterLab's view of the clone."""
    config = Config(json.loads(FILE_BROWSER.read_text()))
    return LargeFileManager(root_dir=str(ROOT), config=config)


def listed(contents, folder=""):
    """Return the names that are listed in a folder, those that git ignores left out."""
    names = {entry["name"] for entry in contents.get(folder)["content"]}
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT / folder, capture_output=True, text=True, check=True)
    return names & {Path(line).parts[0] for line in done.stdout.splitlines()}


def test_students_see_lessons_and_exercises(contents):
    assert listed(contents) == {"README.md", "exercises", "notebooks"}
    assert all(name.endswith(".ipynb") for name in listed(contents, "notebooks"))
    assert {"api.py", "jobs.py", "add_job.ipynb", "data"} <= listed(
        contents, "exercises/jobs_service"
    )


def test_hidden_files_open_from_a_link(contents):
    assert "def work(" in contents.get("jobs_kit/worker.py")["content"]
    assert contents.get("solutions/reliable_queue/reliable.py")["content"]
