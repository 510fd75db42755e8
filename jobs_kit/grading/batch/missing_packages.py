"""Report the packages that the answers of a class import but can't use."""

from collections import Counter

MOST = 10  # packages that are reported


def missing_packages(results):
    """Return a sentence for each such package in SubmissionResults, the commonest first."""
    counts = Counter(name for result in results for name in result.missing_packages)
    return [
        f"{'1 student imports' if count == 1 else f'{count} students import'} {name}, which answers "
        f"can't use: --allow {name}"
        for name, count in counts.most_common(MOST)
    ]
