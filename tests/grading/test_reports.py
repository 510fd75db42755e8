"""Write the files that a graded class leaves behind."""

import json
import os
import resource
import signal
from itertools import pairwise
from types import SimpleNamespace

import pytest
from batch_runs import MOST, contained, grade

from jobs_kit.grading.batch.out_folder import file_name, write_whole
from jobs_kit.grading.batch.reports import grades_md, summary
from jobs_kit.grading.results import CheckResult, ExerciseResult, SubmissionResult


@pytest.mark.parametrize("most", [1, 5, 10, 83])
def test_the_summary_counts_each_student_once(most):
    bins = summary._bins([*range(most + 1), most], most)
    assert bins[0][0] == 0 and bins[-1][1] == most and len(bins) <= 10
    assert all(low <= high for low, high, _ in bins)
    assert all(before[1] + 1 == after[0] for before, after in pairwise(bins))
    assert [n for *_, n in bins[:-1]] == [high - low + 1 for low, high, _ in bins[:-1]]
    assert sum(n for *_, n in bins) == most + 2


def mistake_of(student, got, hint):
    check = CheckResult("test_it_prints", "It prints", "fail", got=got, hint=hint)
    return SubmissionResult(student, [ExerciseResult("echo_worker", "Echo", [check])])


def test_the_summary_counts_the_same_mistake_together_and_others_apart():
    results = [
        mistake_of("ana", "it printed\nfig", "Is it printed twice?"),
        mistake_of("ben", "it printed\nfig", "Which one is left out?"),
        mistake_of("cem", "it printed\nplum", "Is it printed twice?"),
        mistake_of("dia", "KeyError: 'a'", "Which value is that?"),
        mistake_of("eli", "ValueError: b", "Which value is that?"),
        mistake_of("fay", "exit code 1", None),
        mistake_of("gus", "exit code 2", None),
    ]
    students = [who for *_, who in summary._mistakes(results)]
    assert students == [["ana", "cem"], ["fay", "gus"], ["ben"], ["dia"], ["eli"]]


def test_a_file_is_written_as_a_whole_or_not_at_all(tmp_path):
    path = tmp_path / "grades.csv"
    write_whole(path, "as before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    full = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_whole(path, "x" * 9999)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, full)
    assert path.read_text() == "as before" and os.listdir(tmp_path) == ["grades.csv"]


def test_long_names_that_begin_alike_get_different_files():
    names = [f"Константин Константинопольский_{number}" for number in "12"]
    assert len({file_name(name) for name in names}) == 2


@contained
@pytest.mark.slow
def test_gradescope_gets_a_results_file_even_after_a_crash(place, tmp_path):
    place("ana")
    assert grade(place, tmp_path / "out", "--gradescope")[0] == 0
    made = json.loads((tmp_path / "out" / "results.json").read_text())
    assert made["score"] == MOST and made["tests"]
    assert {test["status"] for test in made["tests"]} == {"passed"}
    assert {part["output_format"] for part in (made, *made["tests"])} == {"text"}
    place("ben")  # for two students there is no single result, and no file that says so
    assert grade(place, tmp_path / "out", "--gradescope")[0] == 0
    assert not (tmp_path / "out" / "results.json").exists()
    assert len(list((tmp_path / "out" / "gradescope").glob("*/results.json"))) == 2
    code, output = grade(
        place, tmp_path / "other", "--gradescope", "--hidden", tmp_path / "nowhere"
    )
    assert code == 1 and "nowhere" in output
    made = json.loads((tmp_path / "other" / "results.json").read_text())
    assert made["score"] == 0 and "nowhere" in made["output"]
    assert made["output_format"] == "text"


def test_a_table_in_markdown_shows_what_students_write_as_it_is(tmp_path):
    result = mistake_of("ana|<b>\n# [x](y) @all ` _i_", "", "")
    result.remarks.append("left out: ![](http://there) \n| a |")
    grades_md.write(SimpleNamespace(out=tmp_path), [result])
    text = (tmp_path / "grades.md").read_text()
    assert "| echo_worker | 0 of 0 | It prints &#40;fail&#41; |" in text
    assert len(text.splitlines()) == 7 and not set("<[@`!") & set(text) and "_i_" not in text
