"""Each wrong answer is rejected for its own reason, each right one is accepted, by one judge."""

import pytest
from cases import file_cases, write_stage

from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.judge import Judge

each = pytest.mark.parametrize(
    "exercise", [one for one in all_exercises().values() if one.files], ids=lambda one: one.id
)


@pytest.fixture(scope="session")
def judge():
    with Judge() as judge:
        yield judge


@pytest.mark.parametrize("case", file_cases("wrong"), ids=repr)
def test_a_wrong_answer_is_rejected_for_its_own_reason(judge, case, tmp_path):
    verdict = judge.check(case.exercise, case.write(tmp_path))
    outcomes = {check["name"]: check["outcome"] for check in verdict.checks}
    assert outcomes.pop(case.rejected_by) == case.outcome, str(verdict)
    assert set(outcomes.values()) <= {"pass", "not reached"}, str(verdict)
    assert case.says in str(verdict), str(verdict)


@pytest.mark.parametrize("case", file_cases("right"), ids=repr)
def test_a_right_answer_is_accepted(judge, case, tmp_path):
    verdict = judge.check(case.exercise, case.write(tmp_path))
    assert verdict.passed, str(verdict)


@each
@pytest.mark.parametrize("base", ["solved", "final"])
def test_a_solution_gets_full_marks(judge, exercise, base, tmp_path):
    write_stage(exercise, tmp_path / exercise.folder, base)
    verdict = judge.check(exercise, tmp_path / exercise.folder)
    assert verdict.passed and verdict.points == verdict.max_points, str(verdict)


@each
def test_an_untouched_starter_is_not_attempted(judge, exercise, tmp_path):
    write_stage(exercise, tmp_path / exercise.folder, "blank")
    verdict = judge.check(exercise, tmp_path / exercise.folder)
    assert verdict.outcome == "not attempted", str(verdict)


@each
def test_what_is_missing_is_not_attempted(judge, exercise, tmp_path):
    target = tmp_path / exercise.folder
    target.mkdir()
    assert judge.check(exercise, target).outcome == "not attempted"
    for number, name in enumerate(exercise.files):
        target = tmp_path / str(number) / exercise.folder
        write_stage(exercise, target, "blank")
        (target / name).unlink(missing_ok=True)
        verdict = judge.check(exercise, target)
        assert verdict.outcome == "not attempted", str(verdict)
