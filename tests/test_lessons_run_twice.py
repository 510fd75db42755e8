"""Somebody presses Shift+Enter twice: each cell of a lesson runs twice, and what it tells is true.

Nothing raises, nobody waits for a minute, and the predictions are settled as in a careful run.
"""

import copy
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

LESSONS = Path(__file__).parent.parent / "notebooks"
VERDICT = r"No prediction was recorded\. It is (.*)\."

SETTLED = {
    "08_ask_for_status_and_results": {"fates": "in progress, submitted", "survives": "yes"},
    "11_publish_and_subscribe": {"late": "10", "slow": "8"},
}


def run_each_cell_twice(name, folder):
    """Return {guess: what it was settled with the second time}. Raises what a cell raises."""
    lesson = nbformat.read(LESSONS / f"{name}.ipynb", as_version=4)
    lesson.cells = [
        copy.deepcopy(cell) for cell in lesson.cells if cell.cell_type == "code" for _ in range(2)
    ]
    for number, cell in enumerate(lesson.cells):
        cell.id = f"cell-{number}"
    NotebookClient(lesson, timeout=90, resources={"metadata": {"path": folder}}).execute()
    settled = {}
    for cell in lesson.cells:
        texts = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
        verdicts = re.findall(VERDICT, "\n".join(texts))
        settled.update(zip(re.findall(r"(\w+)\.settle\(", cell.source), verdicts, strict=False))
    return settled


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTLED)
def test_each_cell_may_run_twice(name, tmp_path, monkeypatch, redis_url):
    monkeypatch.delenv("REDIS_URL")  # the lesson starts a Redis of its own
    settled = run_each_cell_twice(name, tmp_path)
    assert {guess: settled.get(guess) for guess in SETTLED[name]} == SETTLED[name]
