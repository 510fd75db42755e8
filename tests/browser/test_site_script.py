"""The website's one script shows the kit's widgets in a page without a kernel."""

import pytest
from playwright.sync_api import expect

from jobs_kit.publish.site.source_folder import site_script
from jobs_kit.publish.site.static_outputs import place
from jobs_kit.queue_watch.picture import empty_picture
from jobs_kit.queue_watch.player.page import players_of

CHOICE = {
    "question": "How many?",
    "options": ["1", "2"],
    "answer": "2",
    "verdicts": {"1": "You predicted 1. The answer is: 2.", "2": "You predicted 2. Right."},
    "settled_by": "settles-3",
}
FREE = {"question": "Which?", "options": [], "answer": "3.0", "verdicts": {}, "settled_by": ""}
SHELL = {"title": "producer", "kind": "shell", "transcript": "\x1b[31mIn [1]\x1b[0m: <b>"}
PUT = {"at": 1.0, "did": "put", "message": "1", "text": "hello", "who": "notebook", "first": False}


@pytest.fixture(scope="module")
def page(browser):
    """A page with a prediction of each kind, a fold, a shell, and a board in another fold."""
    recording = {"start": empty_picture("small"), "events": [PUT]}
    widgets = [place("prediction", CHOICE, ""), place("prediction", FREE, "")]
    fold = '<div class="tag_settles-3"><details id="result"><summary>x</summary>two</details></div>'
    board = (
        f'<details id="board"><summary>y</summary>{players_of([("Queue", recording)])}</details>'
    )
    body = "".join([*widgets, fold, place("pane", SHELL | {"notice": ""}, ""), board])
    page = browser.new_page()
    page.set_content(f"<html><body>{body}<script>{site_script()}</script></body></html>")
    yield page
    page.close()


def test_a_choice_is_answered_and_opens_the_result(page):
    form = page.locator(".jk-predict").first
    form.get_by_label("1").click()
    expect(form.get_by_role("status")).to_have_text("You predicted 1. The answer is: 2.")
    expect(form.get_by_label("2")).to_be_disabled()
    expect(page.locator("#result")).to_have_attribute("open", "")


@pytest.mark.parametrize("guess, verdict", [("3", "that is right"), ("no", "The answer is: 3.0.")])
def test_a_text_is_compared_when_it_is_complete(browser, guess, verdict):
    page = browser.new_page()
    page.set_content(f"{place('prediction', FREE, '')}<script>{site_script()}</script>")
    page.get_by_label("Which?").fill(guess)
    expect(page.get_by_role("status")).to_have_text("")
    page.get_by_label("Which?").press("Enter")
    expect(page.get_by_role("status")).to_contain_text(verdict)
    page.close()


def test_a_shell_is_a_transcript_without_a_place_to_type(page):
    pane = page.locator(".jk-pane").first
    expect(pane.get_by_role("log")).to_have_text("In [1]: <b>")
    assert pane.locator("textarea, button").count() == 0


def test_a_board_in_a_fold_plays_when_it_is_opened(page):
    assert page.locator("#board .jk-board").count() == 0
    page.locator("#board summary").click()
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#board .jk-token")).to_contain_text("hello")


def test_the_widgets_follow_the_theme_of_the_site(page):
    for theme, is_light in (("dark", "false"), ("light", "true")):
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        expect(page.locator("html")).to_have_attribute("data-jp-theme-light", is_light)
