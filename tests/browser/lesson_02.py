"""Read lesson 02 in a JupyterLab that another program has started: Binder or a hub."""

import contextlib
import os
import re
import time
import urllib.request

import psutil
import pytest
from playwright.sync_api import expect
from reader import BoardOnPage

from conftest import Notebook, write_settings

PATH = "notebooks/02_consume_messages.ipynb"
GAP, CHECK = 7, 8  # the numbers of two cells
ANSWER = 'def put_colours(): q.put("red", "green", "blue")'
MB = 1_000_000
SECONDS = 200  # a hub starts a server and clones the course before it opens a page


def prepare_home(home):
    """Write a user's settings of JupyterLab: every cell is in the page, and no news."""
    write_settings(home / ".jupyter" / "lab" / "user-settings")


def environment(home, programs):
    """Return the environment of a user's server; both arguments are folders."""
    foreign = ("REDIS_", "JOBS_KIT_", "PYTHON", "JUPYTER")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"HOME": str(home), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def wait_for(url, process):
    """Wait until a server answers; fail when its process ends."""
    while process.poll() is None:
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(url, timeout=5).close()
        time.sleep(0.1)
    pytest.fail(f"the server has ended with exit code {process.returncode}")


def opened(page):
    """Return the Notebook on a page once its kernel is ready."""
    page.set_default_timeout(SECONDS * 1000)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    status = page.locator("#jp-bottom-panel").get_by_text(re.compile(r"\| Idle$"))
    status.first.wait_for()
    return Notebook(page)


def read(notebook):
    """Fill a gap, run the lesson with its check, shells and board; return the BoardOnPage."""
    notebook.cell(GAP).locator(".cm-content").click()
    notebook.page.keyboard.press("Control+a")
    notebook.page.keyboard.type(ANSWER)
    notebook.run_all()
    assert notebook.errors() == []
    expect(notebook.cell(CHECK)).to_contain_text("pass")
    return board(notebook)


def board(notebook):
    """Return the BoardOnPage of a notebook that has run."""
    board = BoardOnPage(notebook.page.locator(".jk-board"))
    expect(board.summary).to_be_visible()
    return board


def memory(name, value):
    """Return the megabytes of all processes in whose environment a variable has this value.

    A page of memory that several processes share counts once (PSS).
    """
    total = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(name) == value:
                total += process.memory_full_info().pss
    return round(total / MB)
