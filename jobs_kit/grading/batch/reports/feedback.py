"""Write feedback/<student>.html: the verdicts of one student, as a page to learn from."""

from markupsafe import Markup

from jobs_kit.grading.batch.out_folder import file_name, write_whole
from jobs_kit.grading.batch.reports.templates import TEMPLATES
from jobs_kit.grading.verdict import MARKS, PAGE_BYTES, Verdict, watch_fold
from jobs_kit.queue_watch.player.page import DARK, POLICY, START, STYLE, players_of


def write(batch, results):
    """Write a page for each student. results: SubmissionResults."""
    folder = batch.out / "feedback"
    folder.mkdir(exist_ok=True)
    for result in results:
        write_whole(folder / f"{file_name(result.student)}.html", page(result))


def page(result):
    """Return the page of a SubmissionResult, as text."""
    verdicts, players = [Verdict(exercise) for exercise in result.exercises], _Players()
    shown = {verdict.id: Markup(verdict.as_html(players.fold)) for verdict in verdicts}
    parts = {"style": Markup(STYLE + DARK), "script": Markup(START)} if players.are_there else {}
    parts["has_findings"] = any(one.outcome not in ("pass", "not attempted") for one in verdicts)
    return TEMPLATES.get_template("feedback.html").render(
        result=result, verdicts=verdicts, marks=MARKS, shown=shown, policy=POLICY, **parts
    )


class _Players:
    """The players of one page, which share its bytes."""

    def __init__(self):
        self._left, self.are_there = PAGE_BYTES, False

    def fold(self, recordings):
        """Return a fold with a player for each recording that still fits, as HTML."""
        fold = watch_fold(recordings, self._left, players_of)
        self._left -= len(fold.encode())
        self.are_there = True
        return fold
