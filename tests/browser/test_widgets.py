"""Shells, programs, predictions and import graphs in a real browser, as a student uses them."""

import re
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect
from reader import ShellOnPage


@pytest.fixture(scope="module")
def shells(lab):
    """The notebook with two shells, their queue made in both by typing."""
    notebook = lab.open("pages/shells.ipynb")
    notebook.run(0)
    constructor = notebook.cell(0).locator(".jp-OutputArea-output").inner_text().strip()
    notebook.run(1)
    for title in ("producer", "consumer"):
        shell = ShellOnPage(notebook, notebook.pane(title))
        shell.type("import json", "from hotqueue import HotQueue", f"q = {constructor}")
    return notebook


def test_two_shells_pass_messages_as_in_the_exercise(shells):
    producer, consumer = (
        ShellOnPage(shells, shells.pane("producer")),
        ShellOnPage(shells, shells.pane("consumer")),
    )
    producer.type('q.put("first")', 'q.put("second")', 'q.put("third")', "len(q)")
    expect(producer.log).to_contain_text("Out[7]: 3")

    consumer.block("for item in q.consume():", "print(item)")
    expect(consumer.log).to_contain_text("first\nsecond\nthird\n")
    expect(consumer.state).to_have_text("busy: working or waiting")

    producer.type("len(q)", 'q.put("fourth", "fifth")')
    expect(producer.log).to_contain_text("Out[8]: 0")
    expect(consumer.log).to_contain_text("third\nfourth\nfifth\n")


def test_a_busy_shell_keeps_the_text_until_it_is_interrupted(shells):
    consumer = ShellOnPage(shells, shells.pane("consumer"))
    consumer.enter("6 * 7")
    expect(consumer.pane.locator(".jk-notice")).to_contain_text("this shell is busy")
    expect(consumer.input).to_have_value("6 * 7")
    consumer.press("Interrupt")
    expect(consumer.state).to_have_text(re.compile("^idle"))
    consumer.input.press("Enter")
    expect(consumer.log).to_contain_text("Out[5]: 42")
    expect(consumer.pane.locator(".jk-notice")).to_be_empty()


def test_lines_typed_before_the_answer_are_kept(shells):
    consumer = ShellOnPage(shells, shells.pane("consumer"))
    consumer.input.fill("for n in range(3):")
    consumer.input.evaluate(ENTER_AND_TYPE_ON, "print(n)")
    expect(consumer.input).to_have_value("for n in range(3):\n    print(n)")
    consumer.input.fill("")


ENTER_AND_TYPE_ON = """(box, text) => {
    box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
    box.value += text;
}"""


def test_the_arrows_recall_what_was_typed(shells):
    consumer = ShellOnPage(shells, shells.pane("consumer"))
    consumer.type("'older'", "'newer'")
    consumer.input.press("ArrowUp")
    expect(consumer.input).to_have_value("'newer'")
    consumer.input.press("ArrowUp")
    expect(consumer.input).to_have_value("'older'")
    consumer.input.press("ArrowDown")
    consumer.input.press("ArrowDown")
    expect(consumer.input).to_have_value("")


def test_the_notebook_does_not_take_the_keys_of_a_shell(shells):
    producer = ShellOnPage(shells, shells.pane("producer"))
    cells = shells.page.locator(".jp-Notebook .jp-Cell")
    before = cells.count()
    producer.input.click()
    producer.keyboard.type("abdd x")  # in the notebook's command mode: add cells, delete one
    producer.input.press("Escape")
    producer.keyboard.type("dd")
    expect(producer.input).to_have_value("abdd xdd")
    producer.input.fill("print('a', 'b')")
    producer.input.press("Shift+Enter")
    expect(producer.log).to_contain_text("a b")
    producer.log.focus()
    producer.keyboard.press("b")
    producer.input.fill("print('c', 'd')")
    producer.input.press("Shift+Enter")
    expect(producer.log).to_contain_text("c d")
    expect(cells).to_have_count(before)


def test_shells_work_while_a_cell_of_the_lesson_blocks(shells):
    producer = ShellOnPage(shells, shells.pane("producer"))
    shells.run(2)
    expect(shells.cell(2).locator(".jp-InputPrompt")).to_contain_text("*")
    producer.type("print('live', 'even now')")
    expect(producer.log).to_contain_text("live even now")
    expect(shells.cell(2).locator(".jp-InputPrompt")).to_contain_text("*")
    producer.type("# stop blocking")
    expect(shells.cell(2).locator(".jp-InputPrompt")).to_have_text(re.compile(r"\d"))


def test_a_runaway_print_leaves_the_page_usable(shells):
    consumer, producer = (
        ShellOnPage(shells, shells.pane("consumer")),
        ShellOnPage(shells, shells.pane("producer")),
    )
    consumer.type("while True: print('flood')")
    expect(consumer.log).to_contain_text("earlier lines were cut")
    producer.type("print('un', 'moved')")
    expect(producer.log).to_contain_text("un moved")
    consumer.press("Interrupt")
    expect(consumer.log).to_contain_text("KeyboardInterrupt")
    consumer.type("print('calm', 'again')")
    expect(consumer.log).to_contain_text("calm again")


def test_restart_and_close_say_what_they_did(shells):
    consumer = ShellOnPage(shells, shells.pane("consumer"))
    consumer.type("kept = 1")
    consumer.press("Restart")
    expect(consumer.log).to_contain_text("restarted: a fresh Python, all names are gone")
    consumer.type("kept")
    expect(consumer.log).to_contain_text("NameError: name 'kept' is not defined")
    consumer.press("Close")
    expect(consumer.state).to_have_text("closed: press Restart")
    consumer.enter("1")
    expect(consumer.pane.locator(".jk-notice")).to_contain_text("this shell is closed")
    consumer.press("Restart")
    consumer.input.fill("")
    consumer.type("print('open', 'again')")
    expect(consumer.log).to_contain_text("open again")


def test_a_shell_that_dies_says_what_to_do(shells):
    consumer = ShellOnPage(shells, shells.pane("consumer"))
    consumer.type("import os; os._exit(3)")
    expect(consumer.state).to_have_text("dead: press Restart")
    expect(consumer.log).to_contain_text("exit code 3")


def test_a_page_that_is_opened_again_shows_the_same(lab, shells):
    producer = ShellOnPage(shells, shells.pane("producer"))
    producer.type("print('before', 'reload')")
    expect(producer.log).to_contain_text("before reload")
    with shells.page.expect_response(lambda answer: answer.request.method == "PUT"):
        shells.page.get_by_role("button", name="Save and create checkpoint").click()
    shells.page.reload()
    expect(producer.log).to_contain_text("before reload")
    producer.type("print('after', 'reload')")
    expect(producer.log).to_contain_text("after reload")


def test_a_click_is_answered_while_a_cell_blocks_that_wrote_to_its_widget(lab):
    notebook = lab.open("pages/clicks.ipynb")
    notebook.run_range(0, 0)
    notebook.run(1)
    notebook.page.get_by_role("button", name="Stop blocking").click()
    expect(notebook.cell(1).locator(".jp-InputPrompt")).to_have_text(re.compile(r"\d"))


def test_predictions_are_recorded_settled_and_locked(lab):
    notebook = lab.open("pages/predictions.ipynb")
    notebook.run(0)
    notebook.run(1)
    number, word = notebook.cell(0), notebook.cell(1)
    number.get_by_label("3").click()
    number.get_by_label("2").click()
    expect(number.locator(".jk-verdict")).to_have_text("Your prediction: 2. Run the next cell.")
    word.get_by_role("textbox", name="What is such a waiting line called?").fill("a stack")
    notebook.run(2)
    notebook.run(3)
    for cell, line in [
        (2, "You predicted 2, and that is right."),
        (3, "You predicted a stack. The answer is: a queue."),
    ]:
        expect(notebook.cell(cell).locator(".jp-OutputArea-output")).to_have_text(line)
        expect(notebook.cell(cell - 2).locator(".jk-verdict")).to_have_text(line)
    expect(number.get_by_label("2")).to_be_checked()
    for radio in number.get_by_role("radio").all():
        expect(radio).to_be_disabled()
    expect(word.locator(".jk-free")).to_be_disabled()


def test_predictions_do_not_stop_run_all(lab):
    notebook = lab.open("pages/predictions.ipynb")
    notebook.run_all()
    assert notebook.errors() == []
    expect(notebook.cell(2)).to_contain_text("You made no prediction. The answer is: 2.")


def test_a_program_streams_fails_and_can_be_ended(lab):
    notebook = lab.open("pages/programs.ipynb")
    notebook.run_all()
    first, second = notebook.pane("worker 1"), notebook.pane("worker 2")
    expect(first.get_by_role("log")).to_have_text("waits for a file\n")
    expect(first.locator(".jk-state")).to_contain_text("running")
    (lab.root / "pages/go").touch()
    expect(first.get_by_role("log")).to_contain_text("found it\nTraceback (most recent call last):")
    expect(first.locator(".jk-state")).to_have_text("ended with exit code 1")
    second.get_by_role("button", name="Kill").click()
    expect(second.locator(".jk-state")).to_have_text("ended by the signal SIGKILL")
    expect(second.get_by_role("button", name="Kill")).to_be_disabled()


def test_an_import_graph_is_a_diagram_that_names_its_files_and_its_cycle(lab):
    notebook = lab.open("pages/imports.ipynb")
    notebook.run_all()
    diagram = notebook.cell(0).locator(".jp-RenderedMermaid img")
    expect(diagram).to_have_attribute("alt", "Who imports whom in shop")
    drawing = unquote(diagram.get_attribute("src"))
    for name in ("api.py", "worker.py", "late_one.py", "broken&lt;b&gt;.py"):
        assert name in drawing
    for note in ("CYCLE: api.py → worker.py → api.py", "inside a function", "cannot be read"):
        assert note in drawing
    dashed = re.findall(r"<path[^>]*stroke-dasharray:7 4", drawing)
    assert len(dashed) == 2, "both arrows of the cycle are dashed"
    description = notebook.cell(0).locator("figcaption")
    expect(description).to_contain_text("api.py: imports worker.py; standard library: json")


def test_no_page_had_an_error_or_asked_the_network(lab):
    assert lab.page_errors == []
    assert lab.outside_requests == []
