"""A notebook that hangs, raises or shows something new fails for its own reason; a good one not."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
FAILING = Path(__file__).parent / "notebooks_that_fail"


@pytest.fixture
def judge(tmp_path, redis_url):
    """judge(notebook) runs pytest on a copy of it, with the kit's conftest; (exit code, output)."""
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def run(notebook):
        if notebook.parent != tmp_path:
            shutil.copy(notebook, tmp_path)
        options = ["-rA", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=2"]
        command = [sys.executable, "-m", "pytest", *options, notebook.name]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=120
        )
        return done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)

    return run


def test_a_cell_that_hangs_fails_and_so_do_the_cells_after_it(judge):
    code, output = judge(FAILING / "hung_cell.ipynb")
    assert code == 1, output
    assert "1 passed" in output, output  # the cell that makes the queue
    assert "2 failed" in output, output
    assert output.count("this cell, or an earlier one of its notebook, timed out") >= 2, output


def test_a_cell_that_raises_fails_with_its_own_error(judge):
    code, output = judge(FAILING / "cell_that_raises.ipynb")
    assert code == 1, output
    assert "ValueError: no seven in here" in output
    assert "timed out" not in output


def test_a_stored_output_that_does_not_come_again_fails(judge):
    code, output = judge(FAILING / "corrupted_output.ipynb")
    assert code == 1, output
    assert "1 passed" in output and "1 failed" in output, output
    assert "hallo" in output and "mismatch" in output, output


def test_a_good_notebook_passes(judge, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("assert 6 * 7 == 42")])
    nbformat.write(notebook, tmp_path / "good.ipynb")
    code, output = judge(tmp_path / "good.ipynb")
    assert code == 0, output
    assert "1 passed" in output
