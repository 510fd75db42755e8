"""A launch on Binder, done here: repo2docker's Jupyter, an ordinary user, a reader of lesson 02.

`make hub-test` runs it. It needs a gigabyte of packages, so `make test` does without; the start
script and the file browser have tests there.
"""

import os
import shutil
import subprocess
from pathlib import Path

import lesson_02
import pytest
from playwright.sync_api import expect

from conftest import free_port
from jobs_kit.grading.sandbox.containment import bwrap

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / ".venv-binder" / "bin"
MOST_MEGABYTES = 600  # Binder promises one or two gigabytes


def as_ordinary_user(command):
    """Return a command that runs as user 1000 if we are root, as Binder's images do."""
    if os.geteuid() != 0:
        return command
    user = ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    return [bwrap(), "--dev-bind", "/", "/", *user, "--die-with-parent", "--", *command]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a home with a copy of the repository in which `postBuild` has run."""
    home = tmp_path_factory.mktemp("jovyan")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, home / name)
    lesson_02.prepare_home(home)
    environment = lesson_02.environment(home, PROGRAMS)
    build = as_ordinary_user(["binder/postBuild"])
    subprocess.run(build, cwd=home, env=environment, check=True)
    return home


@pytest.fixture(scope="module")
def server(home):
    """Start JupyterLab as BinderHub does; return its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/user/reader/"
    options = [f"--port={port}", "--ip=127.0.0.1", "--ServerApp.base_url=/user/reader/"]
    options += ["--IdentityProvider.token=", "--ServerApp.password=", "--no-browser"]
    command = as_ordinary_user(["binder/start", "jupyter-lab", *options])
    with home.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=home, env=lesson_02.environment(home, PROGRAMS), stdout=log, stderr=log
        )
    lesson_02.wait_for(f"{url}api/status", process)
    yield url
    process.terminate()
    process.wait(20)


def test_a_link_without_a_page_opens_lesson_00_beside_three_entries(server, browser):
    page = browser.new_page()
    page.goto(f"{server}lab")
    lesson_02.opened(page)
    expect(page.locator(".jp-Notebook h1").first).to_contain_text("Start here")
    names = page.locator(".jp-DirListing-itemName")
    expect(names).to_have_count(3)
    assert sorted(names.all_inner_texts()) == ["README.md", "exercises", "notebooks"]
    page.close()


def test_lesson_02_runs_in_little_memory(home, server, browser):
    page = browser.new_page()
    page.goto(f"{server}lab/workspaces/reader/tree/{lesson_02.PATH}")
    board = lesson_02.read(lesson_02.opened(page))
    assert "does not tell" not in board.root.inner_text()
    used = lesson_02.memory("HOME", str(home))
    print(f"\nBinder: lesson 02 with board, shells and a check: {used} MB")
    assert 100 < used < MOST_MEGABYTES
    page.close()
