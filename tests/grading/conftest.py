"""Share a warm judge among the tests of the grading."""

import pytest

from jobs_kit.grading.judge import Judge


@pytest.fixture(scope="session")
def judge():
    """Yield a Judge that stays, for submissions that are not contained."""
    with Judge() as judge:
        yield judge
