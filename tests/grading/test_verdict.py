"""Show the result of an exercise so that a student can read it without scrolling."""

import pytest

from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.expectations import CheckError, NotReachedError, expect
from jobs_kit.grading.plugin import require_earlier_checks
from jobs_kit.grading.results import CheckResult, ExerciseResult
from jobs_kit.grading.verdict import Verdict

SCREEN = 40  # lines of a terminal or of a page's output
REDIS = ["db 0  job.1  {id: 1, status: submitted}", "db 1  hotqueue:queue  a list of 1: 1"]


def fault(name, **fields):
    """Return the CheckResult of a check that failed."""
    texts = {
        "call": "jobs.add_job()",
        "got": "{}\nNone",
        "expected": "a job",
        "hint": "Which line?",
    }
    texts |= {"max_points": 1, "evidence": REDIS} | fields
    return CheckResult(name, f"Claim {name}", "fail", **texts)


def waiting(name, waits_for=None, message="it waits for another check", max_points=2):
    """Return the CheckResult of a check that was not run."""
    fields = {"waits_for": waits_for, "message": message, "max_points": max_points}
    return CheckResult(name, f"Claim {name}", "not reached", **fields)


def shown(*checks):
    """Return the verdict on these CheckResults, as text and as HTML."""
    verdict = Verdict(ExerciseResult("add_job", "Add a job", list(checks)))
    return str(verdict), verdict._repr_html_()


def test_checks_that_wait_for_another_one_share_one_line():
    checks = [fault("a"), waiting("b", "a"), fault("c"), waiting("d", "b"), waiting("e", "c")]
    for text in shown(*checks):
        assert "2 more checks wait for this one (0 of 4 points)" in text
        assert "1 more check waits for this one (0 of 2 points)" in text
        assert "Claim b" not in text and "Claim d" not in text
    lines = shown(*checks)[0].splitlines()
    assert lines.index("  · 2 more checks wait for this one (0 of 4 points)") < next(
        number for number, line in enumerate(lines) if "Claim c" in line
    )


def test_checks_that_were_not_run_for_the_same_reason_share_one_line():
    text, _ = shown(waiting("a", message="first add_job"), waiting("b", message="first add_job"))
    assert "2 checks were not run (0 of 4 points)" in text and text.count("first add_job") == 1
    assert "Claim a (not reached, 0 of 2)" in shown(waiting("a", message="first add_job"))[0]
    assert "points" not in shown(*[waiting(name, max_points=0) for name in "ab"])[0]


def test_evidence_that_repeats_is_printed_once():
    for text in shown(fault("a"), fault("b"), fault("c", evidence=["nothing is stored"])):
        assert text.count("hotqueue:queue") == 1
        assert text.count("the same as above") == 1
        assert "nothing is stored" in text


def test_three_failures_fit_on_a_screen():
    contents = [f"db 0  job.{number}  {{status: submitted}}" for number in range(12)]
    checks = [fault(name, evidence=contents) for name in "abc"]
    checks += [waiting(name, "a") for name in "defg"]
    assert len(shown(*checks)[0].splitlines()) <= SCREEN


def test_a_tally_counts_the_checks_that_it_is_about():
    exercise = next(one for one in all_exercises().values() if one.tally)
    text, beginning = exercise.tally
    checks = [CheckResult("a", "The service starts", "pass")]
    checks += [CheckResult(o, f"{beginning} {o}", o) for o in ("pass", "fail", "timeout")]
    verdict = Verdict(ExerciseResult(exercise.id, exercise.title, checks))
    for shown_text in (str(verdict).splitlines()[0], verdict._repr_html_()):
        assert f"{exercise.id}: timeout, {text}: 1 of 3" in shown_text
    assert text not in shown(*checks)[0]


def test_a_verdict_shows_the_folder_that_was_judged_and_escapes_it():
    verdict = Verdict(ExerciseResult("add_job", "Add a job", [fault("a")], "/home/<ana>"))
    assert str(verdict).splitlines()[1] == "  in /home/<ana>"
    assert "in /home/&lt;ana&gt;" in verdict._repr_html_()
    verdict.result.folder = "/home/\udcff"  # a name in another encoding
    assert "\\xdcff" in str(verdict)
    assert "\n  in" not in shown(fault("a"))[0]  # a gap, which is on the page


@pytest.mark.parametrize(
    ("call", "got", "label"),
    [
        ("called", None, "returned"),
        ("called", "a dict\nand nothing in Redis", "returned"),
        ("called", "nothing in Redis", "found"),
        ("jobs.add_job()", "nothing in Redis", "found"),
    ],
)
def test_only_what_a_call_returned_is_called_so(call, got, label):
    class Called:
        call_text, outcome_text, outcome_label = "jobs.add_job()", "a dict", "returned"

    with pytest.raises(CheckError) as raised:
        expect(False, "a job", call=Called() if call == "called" else call, got=got)
    assert raised.value.got_label == label
    check = fault("a", got="something", got_label=label)
    assert f"      {label:<10}something" in shown(check)[0].splitlines()


def test_a_program_that_ran_out_of_time_is_not_started_again():
    refused = []
    for outcome in ("timeout", "fail", "pass"):
        result = ExerciseResult("add_job", "Add a job", [CheckResult("a", "Claim a", outcome)])
        require_earlier_checks(result, after=("b",), unless_late="c")
        try:
            require_earlier_checks(result, after=(), unless_late="a")
        except NotReachedError as reason:
            refused.append((outcome, reason.waits_for))
    assert refused == [("timeout", "a")]
