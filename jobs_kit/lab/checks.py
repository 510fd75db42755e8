"""Check exercises and gaps on a page: check(id), hint(id), solution(id) in a cell.

They judge the files beside the notebook, or else those in exercises/. The judge is another process,
which stays until the kernel ends, so that the second check answers at once.
"""

import atexit
import html
from pathlib import Path

from IPython import get_ipython

from jobs_kit.course.answer_folders import answer_folder
from jobs_kit.course.exercise import shell_exercise
from jobs_kit.course.gap import all_gaps
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.progress import next_hint, progress_of
from jobs_kit.grading.results import kit_failure
from jobs_kit.grading.verdict import Verdict
from jobs_kit.queue_watch import watch

_judge = Judge()
atexit.register(_judge.close)


def check(name):
    """Check the exercise of this id; return its Verdict, which a cell shows. Never raises.

    check("add_job").require_pass() raises AssertionError unless it is a pass.
    """
    if gap := all_gaps().get(str(name)):
        return _check_gap(gap)
    try:
        return progress_of(str(name)).check(_judge)
    except (KeyError, OSError) as problem:
        return Verdict(kit_failure(str(name), problem.args[0]))


def _check_gap(gap):
    """Return the Verdict on the code in a gap, judged in a separate copy."""
    cell = _cell_of(gap)
    folder = Path("scratch") / "gaps" / gap.id
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**gap.beside, gap.files[0]: gap.program(cell)}.items():
        (folder / name).write_text(text, encoding="utf-8")
    try:
        return _judge.check(gap, folder.resolve())
    except RuntimeError as problem:
        return Verdict(kit_failure(gap.id, str(problem)))


def _cell_of(gap):
    """Return the text of the cell that fills a gap: the file it wrote, or the cell that ran last."""
    if gap.path:
        path = Path(gap.path)
        return path.read_text(encoding="utf-8") if path.exists() else ""
    cells = getattr(get_ipython(), "user_ns", {}).get("In", [])
    return next((cell for cell in reversed(cells) if gap.defines(cell)), "")


def hint(name):
    """Return the next of the three hints of an exercise, or the hint of a gap."""
    try:
        return Text(next_hint(str(name)))
    except (KeyError, OSError) as problem:
        return Text(problem.args[0])


def solution(name):
    """Return the solution of an exercise, after a pass or three attempts; else what is missing."""
    try:
        opens, text = progress_of(str(name)).solution()
    except (KeyError, OSError) as problem:
        opens, text = False, problem.args[0]
    return Text(text, is_code=opens)


def watch_queue(folder=None):
    """Watch your queues for the exercise in live shells; return the Watch, one for each folder.

    folder: where the evidence is kept; the exercise's own, if None. See queue_watch/watch.py.
    """
    return watch.watch_queue(folder or answer_folder(shell_exercise()))


class Text:
    """A string that a cell shows, as prose or as code."""

    def __init__(self, text, is_code=False):
        self._text, self._is_code = text, is_code

    def __repr__(self):
        return self._text

    def _repr_html_(self):
        text = html.escape(self._text)
        return f"<pre>{text}</pre>" if self._is_code else f"<p>{text}</p>"
