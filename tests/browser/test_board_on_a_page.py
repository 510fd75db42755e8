"""The queue board in a real browser: a real Redis, real workers, and every control."""

import json
import random
import re
from itertools import pairwise

import pytest
from playwright.sync_api import expect
from reader import BoardOnPage

from jobs_kit.queue_watch.picture import apply, empty_picture
from jobs_kit.queue_watch.player.page import SCRIPT

MARKS = ("", "ghost", "missing")
SOME, NAMES, CROWD, JOBS, REPLAY, ENDS = range(6)  # the cells of board.ipynb


@pytest.fixture(scope="module")
def notebook(lab):
    return lab.open("pages/board.ipynb")


@pytest.fixture
def board(notebook):
    """A new board of some_queue, which is empty, in the first cell."""
    notebook.page.evaluate("document.activeElement.blur()")  # a board keeps the keys to itself
    notebook.run(SOME)
    found = BoardOnPage(notebook.cell(SOME).locator(".jk-board"))
    expect(found.summary).to_have_text("0 waiting, no workers, 0 done, 0 failed")
    return found


def test_tokens_appear_in_their_order_and_leave_through_a_worker(board):
    board.put("hello", 3)
    waiting = board.tokens("waiting")
    expect(waiting).to_have_text(["hello 1", "hello 2", "hello 3"])
    boxes = [token.bounding_box() for token in waiting.all()]
    assert [box["x"] for box in boxes] == sorted((box["x"] for box in boxes), reverse=True)
    expect(board.root.locator(".jk-producer")).to_have_text(re.compile("^notebook 3 put"))
    board.press("Start a worker")
    expect(board.tokens("held")).to_have_text("▶hello 1")
    expect(board.lane("worker-1")).to_contain_text("works")
    expect(board.tokens("done")).to_have_text(["✓hello 3", "✓hello 2", "✓hello 1"])
    expect(waiting).to_have_count(0)
    expect(board.lane("worker-1")).to_contain_text("waits")
    expect(board.summary).to_have_text("0 waiting, 0 of 1 worker busy, 3 done, 0 failed")


def test_a_killed_worker_ends_and_its_message_is_shown_as_lost(board):
    board.put("hello", 9)
    board.press("Start a worker")
    expect(board.tokens("held")).to_have_count(1)
    board.press("Kill worker-1")
    expect(board.tokens("failed")).to_have_count(1)
    expect(board.root.locator(".jk-why")).to_have_text(
        "lost: worker-1 ended while it held the message (killed by SIGKILL)"
    )
    expect(board.lane("worker-1")).to_contain_text("ended")
    expect(board.root.get_by_role("button", name="Kill worker-1")).to_be_hidden()


def test_a_failure_that_is_put_ends_a_worker_and_quotes_its_error(board):
    board.press("Start a worker")
    board.press("Put one that fails")
    expect(board.tokens("failed")).to_have_text("✗fail")
    expect(board.root.locator(".jk-why")).to_contain_text("RuntimeError: cannot do 'fail'")


def test_a_paused_board_shows_no_change_and_then_catches_up(board):
    board.press("Pause")
    board.put("hello", 2)
    expect(board.state).to_have_text("paused, 2 changes behind")
    expect(board.tokens("waiting")).to_have_count(0)
    board.press("Resume")
    expect(board.tokens("waiting")).to_have_count(2)
    expect(board.state).to_have_text("live")


def test_slow_motion_shows_one_change_after_another(board):
    board.press("Slow motion")
    expect(board.root.get_by_role("button", name="Slow motion")).to_have_attribute(
        "aria-pressed", "true"
    )
    board.page.evaluate(WATCH_TOKENS)
    for text in ("a", "b", "c"):
        board.put(text)
    expect(board.state).to_have_text(re.compile(r"slow motion, \d changes? behind"))
    expect(board.tokens("waiting")).to_have_text(["a", "b", "c"])
    expect(board.state).to_have_text("slow motion")
    steps = board.page.evaluate("window.steps")
    assert [count for count, _ in steps] == [1, 2, 3]
    assert all(later - earlier >= 500 for (_, earlier), (_, later) in pairwise(steps))
    board.press("Slow motion")
    expect(board.state).to_have_text("live")


WATCH_TOKENS = """() => {
    window.steps = [];
    const queue = document.querySelector('.jk-queue .jk-zone-body');
    new MutationObserver(() => steps.push([queue.children.length, performance.now()]))
        .observe(queue, {childList: true});
}"""


def test_a_click_shows_the_timeline_and_the_keyboard_reaches_it(board):
    board.put("hello", 3)
    expect(board.tokens("waiting")).to_have_count(3)
    board.tokens("waiting").first.click()
    expect(board.timeline).to_contain_text("hello 1")
    expect(board.timeline.get_by_role("listitem")).to_have_text(["+0.00 sput by notebook"])
    board.page.keyboard.press("Escape")
    expect(board.timeline).to_be_hidden()
    expect(board.tokens("waiting").first).to_be_focused()
    board.page.keyboard.press("ArrowRight")
    expect(board.tokens("waiting").nth(1)).to_be_focused()
    board.page.keyboard.press("Enter")
    expect(board.timeline).to_contain_text("hello 2")
    board.press("Start a worker")
    expect(board.timeline).to_contain_text("taken by worker-1")
    expect(board.timeline.get_by_role("listitem").last).to_contain_text("done")
    board.timeline.get_by_role("button", name="Close the timeline").click()
    expect(board.tokens("done").filter(has_text="hello 2")).to_be_focused()


def test_the_notebook_does_not_take_the_keys_of_a_board(board, notebook):
    cells = notebook.page.locator(".jp-Notebook .jp-Cell")
    before = cells.count()
    board.root.get_by_role("textbox", name="Message").click()
    notebook.page.keyboard.type("abdd")
    notebook.page.keyboard.press("Enter")
    expect(board.tokens("waiting")).to_have_text(["abdd"])
    board.tokens("waiting").focus()
    notebook.page.keyboard.type("abdd")
    expect(cells).to_have_count(before)


def test_a_screen_reader_hears_a_sentence(board):
    speech = board.root.locator('[aria-live="polite"]')
    board.put("hello")
    expect(speech).to_have_text("1 waiting, no workers, 0 done, 0 failed")
    expect(board.tokens("waiting")).to_have_attribute("aria-label", "hello, waiting")
    figures = board.root.get_by_role("img").all()
    assert [figure.locator("title").text_content().split(":")[0] for figure in figures] == [
        "waiting in the last minute",
        "taken per second in the last minute",
    ]


def test_a_page_that_is_opened_again_shows_the_same(board, notebook):
    board.put("hello", 2)
    expect(board.tokens("waiting")).to_have_count(2)
    with notebook.page.expect_response(lambda answer: answer.request.method == "PUT"):
        notebook.page.get_by_role("button", name="Save and create checkpoint").click()
    notebook.page.reload()
    expect(board.tokens("waiting")).to_have_text(["hello 1", "hello 2"])
    board.put("more")
    expect(board.tokens("waiting")).to_have_text(["hello 1", "hello 2", "more"])


def test_what_is_stored_has_a_text_and_a_picture(board, notebook, lab):
    with notebook.page.expect_response(lambda answer: answer.request.method == "PUT"):
        notebook.page.get_by_role("button", name="Save and create checkpoint").click()
    cells = json.loads((lab.root / "pages/board.ipynb").read_text())["cells"]
    stored = cells[SOME]["outputs"][0]["data"]
    assert "".join(stored["text/plain"]).startswith("Queue some_queue: ")
    assert "".join(stored["image/svg+xml"]).startswith("<svg ")


def test_a_thousand_messages_are_counted_and_the_board_lives_while_a_cell_runs(notebook, lab):
    notebook.run(NAMES)
    notebook.run(CROWD)
    crowd = BoardOnPage(notebook.cell(CROWD).locator(".jk-board"))
    expect(crowd.summary).to_have_text("1,000 waiting, 16 of 16 workers busy, 0 done, 0 failed")
    expect(crowd.lanes).to_have_count(16)
    shown = crowd.tokens("waiting").count()
    assert 10 < shown < 80
    expect(crowd.root.locator(".jk-more")).to_have_text(f"+ {1000 - shown:,} more")
    (lab.root / "pages/the_crowd_may_go").touch()
    expect(crowd.summary).to_have_text("0 waiting, 0 of 16 workers busy, 1,016 done, 0 failed")
    expect(crowd.root.locator(".jk-more")).to_have_count(0)


def test_jobs_show_submitted_in_progress_complete(notebook):
    notebook.run(NAMES)
    notebook.run(JOBS)
    jobs = BoardOnPage(notebook.cell(JOBS).locator(".jk-board"))
    jobs.press("Put")
    expect(jobs.tokens("waiting")).to_have_count(1)
    jobs.press("Start a worker")
    jobs.tokens("done").click()
    expect(jobs.timeline).to_contain_text("a job, complete, from 2012-01-01 to 2012-12-31")
    phases = [
        re.sub(r" [\d.]+ s$", "", text)
        for text in jobs.timeline.locator(".jk-phase").all_inner_texts()
    ]
    held = ["held"] * ("held" in phases)  # on a busy machine a moment passes before its status
    assert phases == ["submitted", *held, "in progress", "done"]


def test_a_recording_plays_in_a_cell_and_in_a_separate_page(board, notebook, lab, browser):
    board.put("hello", 2)
    board.press("Start a worker")
    expect(board.tokens("done")).to_have_count(2)
    notebook.run(REPLAY)
    replay = BoardOnPage(notebook.cell(REPLAY).locator(".jk-board"))
    expect(board.state).to_have_text("closed: run the cell again")
    expect(board.root.get_by_role("button", name="Put", exact=True)).to_be_disabled()
    page = browser.new_page()
    asked, errors = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"file://{lab.root / 'pages/board.html'}")
    for player in (replay, BoardOnPage(page.locator(".jk-board"))):
        expect(player.state).to_have_text("recorded, paused")
        expect(player.tokens("done")).to_have_count(0)
        player.press("Play")
        expect(player.tokens("held")).to_have_count(1)
        expect(player.tokens("done")).to_have_text(["✓hello 2", "✓hello 1"])
        slider = player.root.get_by_role("slider")
        slider.evaluate("it => { it.value = 0; it.dispatchEvent(new Event('input')); }")
        expect(player.tokens("done")).to_have_count(0)
    assert errors == [] and asked == [page.url]
    page.close()


def test_the_page_adds_events_up_as_python_does(browser):
    page = browser.new_page()
    page.add_script_tag(content=f"{SCRIPT}\nwindow.apply = apply;", type="module")
    page.wait_for_function("'apply' in window")
    events, picture = random_events(random.Random(4), 3000), empty_picture("q")
    for event in events:
        apply(picture, event)
    adds_up = "([p, events]) => { for (const e of events) apply(p, e); return JSON.stringify(p); }"
    shown = json.loads(page.evaluate(adds_up, [empty_picture("q"), events]))
    assert shown == json.loads(json.dumps(picture))
    assert list(shown["workers"]) == list(picture["workers"])
    page.close()


def random_events(chance, count):
    """Return random events, most of them possible."""
    events, at = [], 1000.5
    for number in range(count):
        at += chance.choice([0, 0.01, 0.4])
        message = str(chance.randrange(max(1, number - 60), number + 2))
        who = f"worker-{chance.randrange(6)}"
        more = chance.choice(
            [
                {"did": "put", "message": message, "text": f"t{message}", "first": number % 9 == 0},
                {"did": "take", "message": message, "text": "x", "who": chance.choice([who, ""])},
                {"did": "done", "message": message},
                {"did": "fail", "message": message, "why": "because"},
                {"did": "back", "message": message},
                {"did": "remove", "message": message},
                {"did": "length", "who": who},
                {"did": "job", "message": message, "fields": {"status": chance.choice("abc")}},
                {"did": "worker", "who": who, "waits": number % 2 == 0},
                {"did": "gone", "who": who},
                {"did": "look", "waiting": [[message, "t"], ["n1", "t"]], "beyond": number % 3},
                {"did": chance.choice(["away", "here"])},
                {"did": "note", "text": "n"},
                {
                    "did": "store",
                    "key": f"job.{number % 50}",
                    "job": "j",
                    "mark": chance.choice(MARKS),
                }
                | {"fields": {chance.choice("abc"): str(number)}},
                {"did": "read", "key": "k"},
                {"did": "unstore", "key": f"job.{number % 50}"},
                {"did": chance.choice(["keep", "release"]), "message": message, "key": "held"},
            ]
        )
        events.append({"at": at, "who": f"producer-{number % 60}", **more})
    return events


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_all_can_be_read_in_both_themes(lab, theme, board):
    lab.use_theme(theme)
    board.put("hello", 4)
    board.press("Put one that fails")
    board.press("Start a worker")
    expect(board.tokens("failed")).to_have_count(1)
    board.tokens("done").first.click()
    contrasts = board.page.evaluate(CONTRASTS)
    assert len(contrasts) > 20
    assert [text for text, contrast in contrasts if contrast < 4.5] == []


# Every text on the board, and the contrast to what is behind it.
CONTRASTS = """() => {
    const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgba = (colour) => {
        paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
        return [...paint.getImageData(0, 0, 1, 1).data];
    };
    const light = (colour) => colour.slice(0, 3)
        .map((c) => (c /= 255) <= 0.04 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (node) => {
        for (; node; node = node.parentElement) {
            const colour = rgba(getComputedStyle(node).backgroundColor);
            if (colour[3] > 250) return colour;
        }
        return [255, 255, 255];
    };
    const all = [...document.querySelectorAll('.jk-board *')];
    const texts = all.filter((node) => node.offsetWidth > 1
        && !node.closest('[data-state="gone"]') && !node.disabled
        && [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim()));
    return texts.map((node) => {
        const [a, b] = [light(rgba(getComputedStyle(node).color)), light(behind(node))];
        return [node.textContent, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
}"""


def test_a_narrow_page_shows_all_below_each_other(board):
    board.put("hello", 4)
    expect(board.tokens("waiting")).to_have_count(4)
    board.page.set_viewport_size({"width": 700, "height": 1000})
    zones = board.root.locator(".jk-stage > .jk-zone")
    expect(zones).to_have_count(4)
    board.page.wait_for_function(
        "new Set([...document.querySelectorAll('.jk-stage > .jk-zone')]"
        ".map((zone) => zone.getBoundingClientRect().left)).size === 1"
    )
    wide = board.root.evaluate("board => board.scrollWidth > board.clientWidth")
    board.page.set_viewport_size({"width": 1280, "height": 1000})
    assert not wide


def test_a_worker_that_works_keeps_its_name_at_any_width(board):
    board.press("Start a worker")
    board.put("hello", 200)
    expect(board.tokens("held")).to_have_count(1)
    cut = []
    for width in range(480, 1400, 40):
        board.page.set_viewport_size({"width": width, "height": 1000})
        expect(board.lane("worker-1")).to_contain_text("works")
        cut += [(width, name) for name in board.root.evaluate(NAMES_CUT)]
    board.page.set_viewport_size({"width": 1280, "height": 1000})
    assert cut == []


NAMES_CUT = """board => [...board.querySelectorAll('.jk-who')]
    .filter((name) => name.scrollWidth > name.clientWidth).map((name) => name.textContent)"""


def test_a_board_ends_with_its_worker_when_its_output_is_cleared(board, notebook):
    notebook.run(NAMES)
    board.press("Start a worker")
    expect(board.lanes).to_have_count(1)
    notebook.run(ENDS)
    notebook.cell(SOME).locator(".jp-InputPrompt").click()
    notebook.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Edit$")).click()
    notebook.page.locator(".lm-Menu-itemLabel", has_text="Clear Cell Output").click()
    expect(board.root).to_have_count(0)
    expect(notebook.cell(ENDS)).to_contain_text("closed -9 False")


def test_no_page_had_an_error_or_asked_the_network(lab):
    assert lab.page_errors == []
    assert lab.outside_requests == []
