"""A copy of the repository that tests may press and extend."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run_git(folder, *arguments):
    """Run git in a folder; return its output."""
    command = ["git", "-C", folder, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class KitCopy:
    """A copy of the repository with its own git. folder (Path): where it is."""

    def __init__(self, folder):
        self.folder = folder
        for name in run_git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").split():
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        self.git("init", "-q")
        self.commit()

    def commit(self):
        """Commit all that is there."""
        self.git("add", ".")
        self.git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "all")

    def git(self, *arguments):
        """Run git in the copy; return its output."""
        return run_git(self.folder, *arguments)

    def changed_files(self):
        """Return the paths of the files that differ from the last commit or are new."""
        status = self.git("status", "--porcelain", "--untracked-files=all")
        return {line[3:] for line in status.splitlines()}

    def run(self, *arguments):
        """Run `python -m …` of the copy; return (exit code, output)."""
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTEST_ADDOPTS": ""}
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env=environment,
            text=True,
            capture_output=True,
        )
        return done.returncode, done.stdout + done.stderr

    def press(self):
        """Run `jobs-kit press`; return (exit code, output)."""
        return self.run("jobs_kit.cli", "press")


@pytest.fixture
def kit_copy(tmp_path):
    """Return a KitCopy."""
    if not shutil.which("git"):
        pytest.skip("git is not installed, and it is what keeps work from being lost")
    return KitCopy(tmp_path)
