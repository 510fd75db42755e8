"""Write the reports on a graded class, one module for each format.

grades.csv                          a row for each student, a column for each exercise
grades.md                           a table for each student, in Markdown
junit.xml                           for programs that read JUnit
feedback/<student>.html             a page to learn from
summary.html                        the class, for the instructor
gradescope/<student>/results.json   only where it was asked for

A new format is a module here with write(batch, results), named in FORMATS.
"""

from jobs_kit.grading.batch.reports import (
    feedback,
    grades_csv,
    grades_md,
    gradescope,
    junit,
    summary,
)

FORMATS = (grades_csv, grades_md, junit, feedback, summary)


def write(batch, results):
    """Write all reports of a Batch. results: SubmissionResults."""
    for report_format in (*FORMATS, gradescope) if batch.gradescope else FORMATS:
        report_format.write(batch, results)
