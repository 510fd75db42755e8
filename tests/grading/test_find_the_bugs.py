"""Each defect is planted alone somewhere, and the verdict on several at once is readable."""

import re

import pytest
from cases import all_cases

from jobs_kit.course import starters
from jobs_kit.course.exercise import find_exercise

BUGS = find_exercise("find_the_bugs")
PLANTED = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15}


def numbers(text):
    return {int(number) for number in re.findall(r"(?<=_)\d\d", text)}


def test_the_masters_hold_every_defect():
    masters = [path.read_text() for path in (starters.MASTERS / BUGS.folder).glob("*.py")]
    regions = re.findall(r"### BEGIN SOLUTION (defects?_\w+)", "\n".join(masters))
    assert set().union(*map(numbers, regions)) == PLANTED


def test_each_defect_alone_is_a_wrong_case():
    cases = [case for case in all_cases("wrong") if case.exercise.id == BUGS.id]
    alone = [case for case in cases if case.name.startswith("defect_")]
    assert sorted(number for case in alone for number in numbers(case.name)) == sorted(PLANTED)
    by = [case.rejected_by for case in alone]
    assert len(set(by)) == len(by), "two defects are caught by the same check"


STAGES = {
    "one": ["defect_14"],
    "the API takes jobs": ["defect_04"],
    "and the worker starts": ["defect_04", "defect_10"],
}


@pytest.mark.parametrize("fixed", STAGES.values(), ids=STAGES)
def test_verdicts_on_several_defects_are_complete(judge, fixed, tmp_path):
    for name, text in starters.press_folder(BUGS.folder, lambda name: name in fixed).items():
        (tmp_path / name).write_text(text)
    verdict = judge.check(BUGS, tmp_path)
    checks = {check.name: check for check in verdict.checks}
    claims = {check.claim for check in checks.values() if check.outcome == "fail"}
    assert verdict.outcome == "fail" and len(claims) >= 4, str(verdict)
    for check in checks.values():
        if check.outcome == "fail":
            assert all(getattr(check, name) for name in ("call", "got", "expected", "hint")), str(
                verdict
            )
        elif check.outcome != "pass":
            assert check.outcome == "not reached", str(verdict)
            assert any(claim in check.message for claim in claims), str(verdict)
    got = checks["test_a_body_that_is_no_job_is_refused"].got
    assert "KeyError: 'start'\napi.py, line 20, in jobs_api:" in got, got
