"""Write feedback/<student>.html: the verdicts of one student, as a page to learn from."""

from markupsafe import Markup

from jobs_kit.grading.batch.out_folder import file_name, write_whole
from jobs_kit.grading.batch.reports.templates import TEMPLATES
from jobs_kit.grading.verdict import MARKS, Verdict


def write(batch, results):
    """Write a page for each student. results: SubmissionResults."""
    folder = batch.out / "feedback"
    folder.mkdir(exist_ok=True)
    template = TEMPLATES.get_template("feedback.html")
    for result in results:
        verdicts = [Verdict(exercise) for exercise in result.exercises]
        page = template.render(result=result, verdicts=verdicts, marks=MARKS, as_html=_as_html)
        write_whole(folder / f"{file_name(result.student)}.html", page)


def _as_html(verdict):
    return Markup(verdict._repr_html_())  # it escapes what it shows
