"""Every lesson runs from its first cell to its last in a real browser, untouched."""

from pathlib import Path

import pytest

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


@pytest.fixture(scope="module")
def lab(open_lab):
    return open_lab(LESSONS[0].parent)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_through(lab, path):
    notebook = lab.open(path.name)
    notebook.run_all(seconds=240)
    assert notebook.errors() == []
    assert notebook.page.locator(".jk-verdict").count() >= 3, "its predictions are on the page"
    assert lab.page_errors == [] and lab.outside_requests == []
    notebook.page.close()
