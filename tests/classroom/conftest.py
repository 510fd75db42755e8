"""A Redis for a class, and the command that runs it."""

import csv
import os

import pytest

from jobs_kit.cli import main
from jobs_kit.redis_server.server import start_server

ROSTER = """name,mail
Ana Silva,ana@example.org
"O'Brien, Siobhán",siobhan@example.org
Łukasz Žižek,
李雷,
Ana Silva,ana.silva@example.org
Bob Smith,bob@one.example
Bob Smith,bob@two.example
"""


@pytest.fixture
def class_redis(monkeypatch):
    """Return a Redis that REDIS_URL names, with a user who may do everything."""
    for name in [name for name in os.environ if name.startswith(("JOBS_KIT_", "REDIS_"))]:
        monkeypatch.delenv(name)
    server = start_server()
    monkeypatch.setenv("REDIS_URL", server.admin_url)
    yield server
    server.stop()


@pytest.fixture
def classroom(tmp_path, monkeypatch):
    """classroom(words): run `jobs-kit classroom` in a folder with a roster; return the exit code."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    return lambda words: main(["classroom", *words.split()])


@pytest.fixture
def students(tmp_path):
    """students(): {user: REDIS_URL} of students.csv."""

    def read():
        with open(tmp_path / "classroom" / "students.csv", encoding="utf-8") as file:
            return {row["user"]: row["REDIS_URL"] for row in csv.DictReader(file)}

    return read
