"""The laws of the exercises: each is whole, and each check is known to reject something."""

import ast
import re
from pathlib import Path

import pytest
from cases import CASES, all_cases

from jobs_kit.course.exercise import all_exercises

ROOT = Path(__file__).parents[2]
IDS = [
    "two_shells",
    "echo_worker",
    "modules",
    "imports",
    "save_and_queue",
    "add_job",
    "execute_job",
    "redis_from_environment",
    "job_status",
    "job_results",
    "failing_job",
    "find_the_bugs",
    "reliable_queue",
]
each = pytest.mark.parametrize("exercise", all_exercises().values(), ids=lambda one: one.id)


def checks_of(exercise):
    """Return {name: (claim, points)} of an exercise's test file."""
    tree = ast.parse(Path(exercise.file).read_text(encoding="utf-8"))
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            worth = [
                d.args[0].value for d in node.decorator_list if ast.unparse(d.func) == "points"
            ]
            found[node.name] = ast.get_docstring(node), worth
    return found


def test_the_exercises_are_those_of_the_course_in_their_order():
    assert list(all_exercises()) == IDS
    assert [one.number for one in all_exercises().values()] == list(range(1, len(IDS) + 1))


@each
def test_hints_climb_three_rungs(exercise):
    assert len(set(exercise.hints)) == 3
    assert all(20 < len(hint) < 300 for hint in exercise.hints)


@each
def test_each_check_makes_a_claim_and_is_worth_points(exercise):
    checks = checks_of(exercise)
    assert checks
    for name, (claim, worth) in checks.items():
        assert claim and len(claim.splitlines()[0]) > 10, name
        assert len(worth) == 1 and worth[0] > 0, name
    claims = [claim for claim, _ in checks.values()]
    assert len(set(claims)) == len(claims)


@each
def test_each_check_rejects_a_wrong_answer(exercise):
    rejecting = {case.rejected_by for case in all_cases("wrong") if case.exercise is exercise}
    assert set(checks_of(exercise)) <= rejecting


@each
def test_there_are_wrong_and_right_answers_enough(exercise):
    for kind, wanted in (("wrong", 5), ("right", 3)):
        found = [case for case in all_cases(kind) if case.exercise is exercise]
        assert len(found) >= wanted, kind
        assert all(len(case.why) > 20 for case in found)


def test_each_case_has_its_own_name_and_each_folder_its_case():
    names = [repr(case) for kind in ("wrong", "right") for case in all_cases(kind)]
    assert len(set(names)) == len(names)
    assert {"/".join(path.parts[-2:]) for path in CASES.glob("*/*/")} <= set(names)


def test_no_hint_and_no_claim_belittles():
    words = re.compile(r"\b(simply|just|obviously|probably)\b", re.IGNORECASE)
    for exercise in all_exercises().values():
        said = [
            *exercise.hints,
            exercise.title,
            *(claim for claim, _ in checks_of(exercise).values()),
        ]
        assert not [text for text in said if words.search(text)]
