"""Every lesson runs from its first cell to its last in a real browser, untouched."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from reader import PredictionOnPage

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
UNTOUCHED = re.compile(r"No prediction was recorded\. It is (.*)\.")


@pytest.fixture(scope="module")
def lab(open_lab):
    return open_lab(LESSONS[0].parent)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_through(lab, path):
    notebook = lab.open(path.name)
    notebook.run_all(seconds=240)
    assert notebook.errors() == []
    asked = notebook.page.locator(".jp-CodeCell", has=notebook.page.locator(".jk-predict")).all()
    assert len(asked) >= 3, "its predictions are on the page"
    for prediction in map(PredictionOnPage, asked):
        expect(prediction.verdict).to_have_text(UNTOUCHED)
        answer = UNTOUCHED.fullmatch(prediction.verdict.inner_text())[1]
        assert answer in prediction.options, "the truth could be chosen"
    assert lab.page_errors == [] and lab.outside_requests == []
    notebook.page.close()
