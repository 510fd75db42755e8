"""A reader goes through every lesson, answers each prediction and uses what the lesson offers."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from reader import BoardOnPage, PredictionOnPage, ShellOnPage

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
SECONDS = 240  # for the cells between two predictions


@pytest.fixture(scope="module")
def lab(open_lab):
    return open_lab(LESSONS[0].parent)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_each_guess_is_on_the_page_with_what_came_of_it(lab, path):
    cells = json.loads((lab.root / path.name).read_text(encoding="utf-8"))["cells"]
    asking = [n for n, cell in enumerate(cells) if " = predict(" in "".join(cell["source"])]
    notebook, guesses, done = lab.open(path.name), {}, 0
    for turn, number in enumerate(asking):
        notebook.run_range(done, number, SECONDS)
        prediction = PredictionOnPage(notebook.cell(number))
        guesses[number] = prediction.options[turn % len(prediction.options)]
        prediction.guess(guesses[number])
        done = number + 1
    notebook.run_range(done, len(cells) - 1, SECONDS)
    assert notebook.errors() == []
    for number, guess in guesses.items():
        shows_what_came_of(notebook, PredictionOnPage(notebook.cell(number)), guess)
    AFTERWARDS.get(path.stem, lambda notebook: None)(notebook)
    assert lab.page_errors == [] and lab.outside_requests == []
    notebook.page.close()


def shows_what_came_of(notebook, prediction, guess):
    """Below the question, locked, and once more where the lesson has come to the answer."""
    expect(prediction.verdict).to_have_text(re.compile("^You predicted"))
    others = set(prediction.options) - {guess}
    lines = [f"You predicted {guess}, and {guess} it is."]
    lines += [f"You predicted {guess}. It is {other}." for other in others]
    line = prediction.verdict.inner_text()
    assert line in lines
    expect(notebook.page.locator(".jp-RenderedHTML").get_by_text(line).first).to_be_visible()
    expect(prediction.root.get_by_label(guess, exact=True)).to_be_checked()
    expect(prediction.root.get_by_label(guess, exact=True)).to_be_disabled()


def kill_a_worker_on_the_board(notebook):
    """The exercise of lesson 01: ten tasks, two workers, one of them dies with what it holds."""
    board = BoardOnPage(notebook.page.locator(".jk-board").first)
    board.put("photo", 10)
    expect(board.tokens("waiting")).to_have_count(10)
    board.press("Start a worker")
    expect(board.lane("worker-1").locator(".jk-token")).to_have_count(1)
    board.press("Start a worker")
    expect(board.lane("worker-2").locator(".jk-token")).to_have_count(1)
    board.press("Kill worker-2")
    expect(board.lane("worker-2")).to_contain_text("ended")
    expect(board.tokens("failed")).to_have_count(1)
    expect(board.root.locator(".jk-why")).to_contain_text("worker-2 ended while it held")
    expect(board.tokens("waiting")).to_have_count(0)


def type_in_the_two_shells(notebook):
    """The exercise of lesson 02, in the panes."""
    producer, consumer = (ShellOnPage(notebook, notebook.pane(name)) for name in SHELLS)
    consumer.block("for item in q.consume():", "print('got', item)")
    producer.type('q.put("typed")')
    expect(consumer.log).to_contain_text("got typed")
    consumer.press("Interrupt")
    producer.type('q.put("waits", "too")', 'print("left:", len(q))')
    expect(producer.log).to_contain_text("left: 2")


SHELLS = "producer", "consumer"


def post_a_job_by_the_board(notebook):
    """The last cell of lesson 07: "Put" posts to the API, the worker is the service's own."""
    board = BoardOnPage(notebook.page.locator(".jk-board"))
    board.press("Put")
    expect(board.tokens("waiting")).to_have_count(1)
    board.press("Start a worker")
    board.tokens("done").click()
    expect(board.timeline).to_contain_text("a job, complete, from 2012-01-01 to 2012-12-31")


AFTERWARDS = {
    "01_share_work_through_a_queue": kill_a_worker_on_the_board,
    "02_consume_messages": type_in_the_two_shells,
    "07_build_the_jobs_service": post_a_job_by_the_board,
}


def test_what_is_done_afterwards_belongs_to_a_lesson():
    assert set(AFTERWARDS) <= {path.stem for path in LESSONS}
