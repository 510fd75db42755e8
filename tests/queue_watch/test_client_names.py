"""What a lesson imports is there, by the line that a lesson writes, in a fresh interpreter."""

import subprocess
import sys

import pytest

from jobs_kit import lab


@pytest.mark.parametrize("name", lab.__all__)
def test_a_name_is_what_it_says_and_not_the_module_of_the_same_name(name):
    line = f"from jobs_kit.lab import find_redis, {name}; assert callable({name}), {name}"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(AttributeError, match="has no predictions; it has check, "):
        _ = lab.predictions
