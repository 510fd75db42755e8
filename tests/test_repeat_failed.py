"""Which failed tests `make test` repeats, and what then counts."""

import json

import pytest
import repeat_failed


@pytest.mark.parametrize(
    "exit_code, failed, repeated",
    [
        (1, ["a.py::test_b", "c.ipynb::Cell 1", "c.ipynb::Cell 2"], ["a.py::test_b", "c.ipynb"]),
        (1, [f"a.py::test_{number}" for number in range(repeat_failed.MOST + 1)], None),
        (1, ["a.py::test_b", "not_collected.py"], None),
        (1, [], None),
        (2, ["a.py::test_b"], None),
    ],
)
def test_few_failed_tests_are_repeated(exit_code, failed, repeated, tmp_path, monkeypatch):
    file, calls = tmp_path / "lastfailed", []
    file.write_text(json.dumps(dict.fromkeys(failed, True)))
    monkeypatch.setattr(repeat_failed, "LAST_FAILED", file)
    monkeypatch.setattr(repeat_failed.pytest, "main", lambda words: calls.append(words) or 7)
    assert repeat_failed.main(exit_code) == (7 if repeated else exit_code)
    assert [words[1:] for words in calls] == ([repeated] if repeated else [])
