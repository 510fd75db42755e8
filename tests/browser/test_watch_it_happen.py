"""A failed check is watched: on a feedback page from a disk, and in the frame of a verdict."""

import html
import re

import pytest
from playwright.sync_api import expect
from reader import BoardOnPage

from jobs_kit.grading.batch.reports import feedback
from jobs_kit.grading.results import CheckResult, ExerciseResult, SubmissionResult
from jobs_kit.grading.verdict import Verdict
from jobs_kit.queue_watch.picture import empty_picture
from jobs_kit.queue_watch.recording import Recording
from jobs_kit.queue_watch.story import add_story

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
HOSTILE = "</script><script>document.title = 'taken'</script><img src=x onerror=alert(1)>"
GHOST = {"did": "store", "key": f"job.b'{ID}'", "job": ID, "mark": "ghost", "who": "worker.py"}
EVENTS = [
    {"did": "put", "message": "1", "text": ID, "who": "add_job()", "first": False},
    {"did": "store", "key": f"no job {ID}", "job": ID, "fields": {}, "mark": "missing", "who": ""},
    {"did": "unstore", "key": f"no job {ID}", "who": ""},
    {"did": "store", "key": f"job.{ID}", "job": ID, "mark": "", "who": "add_job()"}
    | {"fields": {"status": "submitted"}},
    {"did": "put", "message": "2", "text": HOSTILE, "who": HOSTILE, "first": False},
    {"did": "take", "message": "1", "text": ID, "who": "worker.py"},
    GHOST | {"fields": {"status": "in progress"}},
    {"did": "fail", "message": "1", "why": "lost: worker.py ended while it held the message"},
    {"did": "gone", "who": "worker.py", "why": None},
]


def result():
    """Return the result of an exercise whose check failed while all of this happened."""
    times = [0, 0, 0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5]
    events = [event | {"at": at} for event, at in zip(EVENTS, times, strict=True)]
    recording = Recording(empty_picture("queue"), events)
    add_story(recording)
    check = CheckResult("a", "It works", "fail", got=ID, recording=recording.as_dict())
    return ExerciseResult("execute_job", "Write the worker", [check])


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.errors, page.asked = [], []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda message: page.errors.append(message.text))
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    page.close()


def watch(page, place):
    """Go through the recording in a place, a page or a frame, step by step."""
    root = place.locator(".jk-board")
    expect(root).to_be_hidden()
    page.locator("summary", has_text="watch it happen").click()
    board = BoardOnPage(root)
    expect(board.tokens("waiting")).to_have_text("<id 1>")
    expect(root.locator("[data-mark=missing]")).to_contain_text("not saved")
    for _ in range(4):
        board.press("Next step")
    expect(board.lane("worker.py")).to_contain_text("works")
    expect(root.locator("[data-mark=ghost]")).to_contain_text("job.b'<id 1>'status: in progress")
    expect(root.locator("[aria-current=step]")).to_contain_text("but the job is at job.<id 1>")
    board.press("Next step")
    expect(board.tokens("failed")).to_have_text("✗<id 1>")
    expect(board.lane("worker.py")).to_contain_text("ended")
    expect(root.get_by_role("button", name="Next step")).to_be_disabled()
    root.get_by_text("<id 1> on the queue").click()
    expect(root.locator(".jk-time")).to_have_text("step 1 of 6")
    return root


def test_a_feedback_page_plays_from_a_disk_without_a_kernel(page, tmp_path):
    path = tmp_path / "ana.html"
    text = feedback.page(SubmissionResult("ana", [result()]))
    assert "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha" in html.unescape(text)
    path.write_text(text, encoding="utf-8")
    page.goto(path.as_uri())
    root = watch(page, page)
    page.clock.install()
    BoardOnPage(root).press("Play")
    for _ in range(6):
        page.clock.run_for(2000)
    expect(root.locator(".jk-state")).to_have_text("recorded, at its end")
    assert page.title().startswith("ana") and page.errors == []
    assert page.asked == [path.as_uri()]


def test_a_verdict_plays_in_a_frame_that_keeps_to_itself(page):
    page.set_content(f"<title>here</title>{Verdict(result())._repr_html_()}")
    watch(page, page.frame_locator("iframe"))
    assert page.title() == "here" and page.errors == []
    assert [url for url in page.asked if not re.match("about:|data:", url)] == []
