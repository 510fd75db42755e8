"""Repeat the tests that the last run of pytest failed, one after the other.

Many tests kill programs and wait for them, and a machine that runs three tests at once is sometimes
too busy. A fault fails here, too. What only failed beside others is named, and is worth a look.
"""

import json
import sys
from pathlib import Path

import pytest

LAST_FAILED = Path(__file__).parents[1] / ".pytest_cache/v/cache/lastfailed"
MOST = 5  # if more have failed, the machine is not the cause
TESTS_FAILED = 1  # an exit code of pytest


def main(exit_code):
    """Return the exit code of the repetition, or this one of the first run if there is none."""
    failed = list(json.loads(LAST_FAILED.read_text())) if exit_code == TESTS_FAILED else []
    # an id without :: is a file that could not be collected beside the others
    if not 0 < len(failed) <= MOST or not all("::" in name for name in failed):
        return exit_code
    print(f"\nFailed beside other tests; now alone: {', '.join(failed)}", flush=True)
    # a cell needs the cells before it
    again = {name.partition("::")[0] if ".ipynb::" in name else name for name in failed}
    return pytest.main(["--durations=0", *sorted(again)])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
