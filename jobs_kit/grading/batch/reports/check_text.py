"""Show the result of a check as plain text, in formats that have one field for it."""

from jobs_kit.grading.verdict import details


def check_text(check):
    """Return the findings of a CheckResult, one a line, with the labels of a verdict."""
    return "\n".join(f"{label}: {text}" if label else text for label, text in details(check))
