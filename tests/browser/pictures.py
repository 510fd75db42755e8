"""Take the pictures of README.md in a real browser, from real lessons: `make pictures`.

Look at each of them before you store it.
"""

import io
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright
from reader import BoardOnPage, ShellOnPage

from conftest import FLAGS, READY_SECONDS, Lab, find_browser

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "notebooks" / "pictures"
COLOURS = 96  # a palette needs a third of the bytes and looks the same
MOST_BYTES = 150_000
WIDTH, SCALE = 1080, 2
SHELLS = "producer", "consumer"
CASE = "execute_job/old_status_at_a_ghost_key"

sys.path.insert(0, str(ROOT / "tests" / "grading"))
from cases import all_cases  # noqa: E402


def first_cell_with(text, name):
    """Return the number of the first code cell of a lesson that contains a string."""
    cells = json.loads((ROOT / "notebooks" / name).read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) if cell["cell_type"] == "code" else "" for cell in cells]
    return next(number for number, source in enumerate(sources) if text in source)


def take_board(lab):
    """Lesson 01, its exercise: twelve tasks, two consumers, one killed with what it held."""
    name = "01_share_work_through_a_queue.ipynb"
    notebook = lab.open(name)
    notebook.run_range(0, first_cell_with("show_board(photos", name))
    board = BoardOnPage(notebook.page.locator(".jk-board"))
    expect(board.summary).to_be_visible()
    board.put("photo", 12)
    board.press("Start a consumer")
    expect(board.lane("consumer-1").locator(".jk-token")).to_have_count(1)
    board.press("Start a consumer")
    expect(board.lane("consumer-2").locator(".jk-token")).to_have_count(1)
    expect(board.tokens("done").nth(1)).to_be_visible()
    board.press("Kill consumer-2")
    expect(board.root.locator(".jk-why")).to_be_visible()
    board.press("Pause")
    board.tokens("done").last.click()
    board.press("Resume")
    save(board.root, "board.png")


def take_shells(lab):
    """Lesson 02: the consumer's loop waits, and prints what the producer puts."""
    name = "02_consume_messages.ipynb"
    notebook = lab.open(name)
    notebook.run_range(0, first_cell_with('shells["consumer"].run', name))
    producer, consumer = (ShellOnPage(notebook, notebook.pane(name)) for name in SHELLS)
    consumer.block("for message in q.consume():", "print(message)")
    producer.type('q.put("first", "second")', "len(q)")
    expect(consumer.log).to_contain_text("second")
    expect(producer.log).to_contain_text("Out[3]: 0")
    expect(producer.state).to_have_text(re.compile("^idle"))
    producer.input.blur()
    save(producer.pane.locator("xpath=../.."), "shells.png")


def take_check(lab):
    """A worker whose job never leaves "submitted", as many students write it."""
    case = next(case for case in all_cases("wrong") if str(case) == CASE)
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(case.write(Path(place)), lab.root / "jobs_service", dirs_exist_ok=True)
    notebook = lab.open("jobs_service/execute_job.ipynb")
    notebook.run_all()
    verdict = notebook.page.locator(".jp-OutputArea-output", has_text="execute_job:").last
    # in a clone the exercise has this path
    folder = verdict.get_by_text(re.compile("^in .*/jobs_service$")).last
    folder.evaluate("(element) => element.textContent = 'in exercises/jobs_service'")
    save(verdict, "check.png", down_to=verdict.locator("tr", has_text="hint").first)


def save(locator, name, down_to=None):
    """Store a picture of the locator, if asked for down to the end of a part, in few bytes."""
    locator.page.mouse.move(0, 0)
    locator.page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
    seen = Image.open(io.BytesIO(locator.screenshot())).convert("RGB")
    if down_to:
        top, part = locator.bounding_box()["y"], down_to.bounding_box()
        seen = seen.crop((0, 0, seen.width, SCALE * round(part["y"] + part["height"] - top)))
    few = seen.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(PICTURES / name, optimize=True)
    size = (PICTURES / name).stat().st_size
    assert size < MOST_BYTES, f"{name} has {size:,} bytes"
    print(f"{PICTURES / name}: {seen.width} × {seen.height}, {size:,} bytes")


def main():
    expect.set_options(timeout=READY_SECONDS * 1000)
    folders = {"notebooks": (take_board, take_shells), "exercises": (take_check,)}
    with sync_playwright() as api, tempfile.TemporaryDirectory() as home:
        browser = api.chromium.launch(executable_path=find_browser(), args=FLAGS)
        for folder, takes in folders.items():
            shutil.copytree(
                ROOT / folder, Path(home, folder, "root"), ignore=shutil.ignore_patterns(".*")
            )
            lab = Lab(Path(home, folder), browser, width=WIDTH, scale=SCALE)
            for take in takes:
                take(lab)
            lab.close()
        browser.close()


if __name__ == "__main__":
    main()
