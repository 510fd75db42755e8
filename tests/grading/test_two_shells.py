"""What is done in two shells is judged by what Redis shows: right ones pass, wrong ones do not."""

import pytest
from cases import sessions
from sessions import Session

from jobs_kit.grading.exercise import find_exercise
from jobs_kit.grading.judge import Judge

TWO_SHELLS = find_exercise("two_shells")


@pytest.fixture(scope="module")
def judge():
    with Judge() as judge:
        yield judge


@pytest.fixture
def play(tmp_path, monkeypatch):
    """play(case) plays a case to its end; what it left running runs until the test ends."""
    folder = tmp_path / "two_shells"
    folder.mkdir()
    played = []

    def play(case):
        played.append(Session(case, folder, monkeypatch))
        played[-1].play()
        return played[-1]

    yield play
    for session in played:
        session.close()


@pytest.mark.parametrize("case", sessions("wrong"), ids=repr)
def test_a_wrong_session_is_rejected_for_its_own_reason(judge, case, play):
    verdict = judge.check(TWO_SHELLS, play(case).folder)
    print(verdict)
    outcomes = {check["name"]: check["outcome"] for check in verdict.checks}
    assert outcomes.pop(case.rejected_by) == case.outcome, str(verdict)
    assert set(outcomes.values()) <= {"pass", "not reached"}, str(verdict)
    assert case.says in str(verdict), str(verdict)


@pytest.mark.parametrize("case", sessions("right"), ids=repr)
def test_a_right_session_is_accepted(judge, case, play):
    verdict = judge.check(TWO_SHELLS, play(case).folder)
    print(verdict)
    assert verdict.passed, str(verdict)
