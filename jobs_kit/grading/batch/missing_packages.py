"""Report the packages that the answers of a class import but can't use."""

from collections import Counter

MOST, NAMES = 10, 5  # packages that are reported, students that are named


def missing_packages(results):
    """Return a sentence for each such package in SubmissionResults, the commonest first."""
    counts = Counter(name for result in results for name in result.missing_packages)
    return [_sentence(name, results) for name, _ in counts.most_common(MOST)]


def _sentence(name, results):
    students = [result.student for result in results if name in result.missing_packages]
    who = "1 student imports" if len(students) == 1 else f"{len(students)} students import"
    more = ", …" if len(students) > NAMES else ""
    return (
        f"{who} {name}, which answers can't use ({', '.join(students[:NAMES])}{more}): to allow it, "
        f"install it, or add --allow {name} if it is installed elsewhere"
    )
