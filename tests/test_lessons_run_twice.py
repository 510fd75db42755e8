"""Each cell of a lesson may run twice, as when Shift+Enter is pressed twice.

No cell raises or hangs, and the predictions settle as in a careful run.
"""

import copy
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

LESSONS = Path(__file__).parent.parent / "notebooks"
VERDICT = r"You made no prediction\. The answer is: (.*?)\.(?: |$)"

SETTLED = {
    "09_ask_for_status_and_results": {"fates": "in progress, submitted", "known": "yes"},
    "13_publish_and_subscribe": {"nobody": "nowhere", "slow": "8"},
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
    monkeypatch.delenv("REDIS_URL")  # the lesson starts its own Redis
    settled = run_each_cell_twice(name, tmp_path)
    assert {guess: settled.get(guess) for guess in SETTLED[name]} == SETTLED[name]
