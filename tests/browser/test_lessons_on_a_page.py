"""A reader goes through every lesson in a real browser, and uses what the lesson offers.

Each lesson runs once. Every other prediction is answered, the rest stay untouched, so that one
pass shows both. That a lesson runs with none of them answered is what nbval tests.
"""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from reader import BoardOnPage, PredictionOnPage, ShellOnPage

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
SECONDS = 240  # for the cells between two predictions
UNTOUCHED = re.compile(r"You made no prediction\. The answer is: (.*)\.")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_reader_goes_through_a_lesson(lab, path):
    asking = cells_that_ask(path)
    notebook = lab.open(f"notebooks/{path.name}")
    guesses = run_and_guess(notebook, asking[::2])
    assert notebook.errors() == []
    asked = notebook.page.locator(".jp-CodeCell", has=notebook.page.locator(".jk-predict"))
    assert asked.count() == len(asking) >= 2, "its predictions are on the page"
    for number, guess in guesses.items():
        shows_the_answer_to_a_guess(notebook, PredictionOnPage(notebook.cell(number)), guess)
    for number in asking[1::2]:
        shows_the_answer_alone(PredictionOnPage(notebook.cell(number)))
    AFTERWARDS.get(path.stem, lambda notebook: None)(notebook)
    assert lab.page_errors == [] and lab.outside_requests == []


def cells_that_ask(path):
    """Return the numbers of the cells of a lesson that ask for a prediction."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [n for n, cell in enumerate(cells) if " = predict(" in "".join(cell["source"])]


def run_and_guess(notebook, asking):
    """Run all cells and stop at some to click a guess; return {number of the cell: guess}."""
    guesses, done = {}, 0
    for turn, number in enumerate(asking):
        notebook.run_range(done, number, SECONDS)
        prediction = PredictionOnPage(notebook.cell(number))
        guesses[number] = prediction.options[turn % len(prediction.options)]
        prediction.guess(guesses[number])
        done = number + 1
    notebook.run_below(done, SECONDS)
    return guesses


def shows_the_answer_to_a_guess(notebook, prediction, guess):
    """Below the question, locked, and again where the lesson gives the answer."""
    expect(prediction.verdict).to_have_text(re.compile("^You predicted"))
    others = set(prediction.options) - {guess}
    line = prediction.verdict.inner_text()
    starts = [f"You predicted {guess}. The answer is: {other}." for other in others]
    assert line == f"You predicted {guess}, and that is right." or line.startswith(tuple(starts))
    expect(notebook.page.locator(".jp-RenderedHTML").get_by_text(line).first).to_be_visible()
    expect(prediction.root.get_by_label(guess, exact=True)).to_be_checked()
    expect(prediction.root.get_by_label(guess, exact=True)).to_be_disabled()


def shows_the_answer_alone(prediction):
    """A reader who chose nothing sees the answer, which is one of the options."""
    expect(prediction.verdict).to_have_text(UNTOUCHED)
    answer = UNTOUCHED.fullmatch(prediction.verdict.inner_text())[1]
    assert answer in prediction.options, "the truth could be chosen"


def kill_a_consumer_on_the_board(notebook):
    """The exercise of lesson 01: ten tasks, two consumers, one of them dies with what it holds."""
    board = BoardOnPage(notebook.page.locator(".jk-board").first)
    board.put("photo", 10)
    expect(board.tokens("waiting")).to_have_count(10)
    board.press("Start a consumer")
    expect(board.lane("consumer-1").locator(".jk-token")).to_have_count(1)
    board.press("Start a consumer")
    expect(board.lane("consumer-2").locator(".jk-token")).to_have_count(1)
    board.press("Kill consumer-2")
    expect(board.lane("consumer-2")).to_contain_text("ended")
    expect(board.tokens("failed")).to_have_count(1)
    expect(board.root.locator(".jk-why")).to_contain_text("consumer-2 ended while it held")
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
    """The last cell of lesson 08: "Put" posts to the API, the worker is the service's own."""
    board = BoardOnPage(notebook.page.locator(".jk-board"))
    board.press("Put")
    expect(board.tokens("waiting")).to_have_count(1)
    board.press("Start a worker")
    board.tokens("done").click()
    expect(board.timeline).to_contain_text("a job, complete, from 2012-01-01 to 2012-12-31")


AFTERWARDS = {
    "01_share_work_through_a_queue": kill_a_consumer_on_the_board,
    "02_consume_messages": type_in_the_two_shells,
    "08_build_the_jobs_service": post_a_job_by_the_board,
}


def test_what_is_done_afterwards_belongs_to_a_lesson():
    assert set(AFTERWARDS) <= {path.stem for path in LESSONS}
