"""Each wrong answer is rejected for its own reason, and each right one is accepted.

Judging an answer is mostly waiting, so several judges judge the answers in the background while
the tests look at one verdict after the other.
"""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest
from cases import file_cases, for_each, write_stage

from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.judge import Judge

JUDGES = os.cpu_count() + 1  # more of them make each other miss their time limits
EXERCISES = [exercise for exercise in all_exercises().values() if exercise.files]
each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)


class Stage:
    """An exercise folder as it is at "solved" or "final", see write_stage()."""

    def __init__(self, exercise, base):
        self.exercise, self.base = exercise, base

    def write(self, place):
        """Write the folder into place; return it."""
        write_stage(self.exercise, place / self.exercise.folder, self.base)
        return place / self.exercise.folder

    def __repr__(self):
        return f"{self.exercise.id}-{self.base}"


@pytest.fixture(scope="module")
def verdicts(request, tmp_path_factory):
    """Yield {answer: the future of its Verdict}, for the answers of all selected tests."""
    judges, places = SimpleQueue(), tmp_path_factory.mktemp("answers")
    for _ in range(JUDGES):
        judges.put(Judge())

    def verdict_on(answer):
        judge = judges.get()
        try:
            # not by the factory of pytest, which is not made for several threads
            place = Path(tempfile.mkdtemp(dir=places))
            return judge.check(answer.exercise, answer.write(place))
        finally:
            judges.put(judge)

    with ThreadPoolExecutor(JUDGES) as pool:
        yield {answer: pool.submit(verdict_on, answer) for answer in answers_of(request)}
        pool.shutdown(cancel_futures=True)
    for _ in range(JUDGES):
        judges.get().close()


def answers_of(request):
    """Return the answers of the tests of this file that were selected, in their order."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    answers = [call.params.get("answer") for call in calls if call]
    return [answer for answer in answers if answer is not None]


@pytest.fixture
def verdict(verdicts, answer):
    """Return the Verdict on the answer of this test."""
    return verdicts[answer].result()


@for_each("answer", file_cases("wrong"))
def test_a_wrong_answer_is_rejected_for_its_own_reason(verdict, answer):
    outcomes = {check.name: check.outcome for check in verdict.checks}
    assert outcomes.pop(answer.rejected_by) == answer.outcome, str(verdict)
    assert not answer.alone or set(outcomes.values()) <= {"pass", "not reached"}, str(verdict)
    assert answer.says in str(verdict), str(verdict)
    assert answer.points in (None, verdict.points), str(verdict)


@for_each("answer", file_cases("right"))
def test_a_right_answer_is_accepted(verdict, answer):
    assert verdict.passed, str(verdict)


@for_each(
    "answer", [Stage(exercise, base) for exercise in EXERCISES for base in ("solved", "final")]
)
def test_a_solution_gets_full_marks(verdict, answer):
    assert verdict.passed and verdict.points == verdict.max_points, str(verdict)


@each
def test_an_untouched_starter_is_not_attempted(judge, exercise, tmp_path):
    write_stage(exercise, tmp_path / exercise.folder, "blank")
    verdict = judge.check(exercise, tmp_path / exercise.folder)
    assert verdict.outcome == "not attempted", str(verdict)


@each
def test_a_missing_file_is_not_attempted(judge, exercise, tmp_path):
    target = tmp_path / exercise.folder
    target.mkdir()
    assert judge.check(exercise, target).outcome == "not attempted"
    for number, name in enumerate(exercise.files):
        target = tmp_path / str(number) / exercise.folder
        write_stage(exercise, target, "blank")
        (target / name).unlink(missing_ok=True)
        verdict = judge.check(exercise, target)
        assert verdict.outcome == "not attempted", str(verdict)
