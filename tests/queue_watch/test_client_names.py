"""The names of lab can be imported as a lesson imports them, in a fresh interpreter."""

import subprocess
import sys

import pytest

from jobs_kit import lab


@pytest.mark.parametrize("name", lab.__all__)
def test_each_name_of_lab_is_a_function(name):
    line = f"from jobs_kit.lab import find_redis, {name}; assert callable({name}), {name}"
    process = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(AttributeError, match="has no predictions; it has check, "):
        _ = lab.predictions
