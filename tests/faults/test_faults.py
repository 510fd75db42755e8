"""Nothing is lost and nothing ends twice, whatever happens; `make faults` is the long form."""

import pytest
from harness import run


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_ends_twice_with_all_faults_at_once():
    result = run(jobs=1500, seed=1, pause=0.1)
    assert result.good, result
    assert result.accepted == 1500 and result.faults
