"""An exercise on its page: untouched, wrong, hinted at, solved."""

import re

from playwright.sync_api import expect

WRONG = 'from hotqueue import HotQueue\nq = HotQueue("echo")\n@q.worker\ndef echo(item): pass\n'


def test_an_answer_goes_from_untouched_to_solved(lab):
    notebook = lab.open("exercises/echo_worker/echo_worker.ipynb")
    notebook.run_all()
    assert notebook.errors() == []
    verdict = notebook.page.locator(".jp-OutputArea-output", has_text="echo_worker:").last
    expect(verdict).to_contain_text("not attempted")

    answer = lab.root / "exercises/echo_worker/echo.py"
    answer.write_text(WRONG)
    notebook.run_all()
    verdict = notebook.page.locator(".jp-OutputArea-output", has_text="echo_worker: fail").last
    for text in ("call", "python echo.py", "expected", "hint", "Which line of yours calls it?"):
        expect(verdict).to_contain_text(text)

    answer.write_text(WRONG + "echo()\n")
    notebook.run_all()
    verdict = notebook.page.locator(".jp-OutputArea-output", has_text="echo_worker: fail").last
    verdict.locator("summary", has_text="watch it happen").click()
    player = verdict.frame_locator("iframe").locator(".jk-board").first
    player.get_by_role("button", name="Next step").click()
    expect(player.locator(".jk-lane")).to_contain_text("echo.py")

    answer.write_text(WRONG.replace("pass", "print(item)") + "echo()\n")
    notebook.run_all()
    verdict = notebook.page.locator(".jp-OutputArea-output", has_text="echo_worker: pass").last
    expect(verdict).to_contain_text(re.compile(r"(\d+) of \1 points"))
    assert lab.page_errors == [] and lab.outside_requests == []
