"""Every exercise is complete, and each of its checks is known to reject something."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from cases import CASES, all_cases

from jobs_kit.course.exercise import all_exercises

each = pytest.mark.parametrize(
    "exercise", all_exercises().values(), ids=lambda exercise: exercise.id
)


def checks_of(exercise):
    """Return {name: (claim, points)} of an exercise's test file; points is a list."""
    tree = ast.parse(Path(exercise.file).read_text(encoding="utf-8"))
    return {
        node.name: (ast.get_docstring(node), points_of(node))
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def points_of(function):
    """Return the arguments of a function's decorators @points(...)."""
    decorators = function.decorator_list
    return [call.args[0].value for call in decorators if ast.unparse(call.func) == "points"]


def cases_of(exercise, kind):
    """Return the Cases of an exercise, "wrong" or "right" ones."""
    return [case for case in all_cases(kind) if case.exercise.id == exercise.id]


def imports_of(tree):
    """Return the names of the modules that a tree imports."""
    nodes = list(ast.walk(tree))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return [*names, *(node.module for node in nodes if isinstance(node, ast.ImportFrom))]


@each
def test_a_check_imports_nothing_of_the_kit_but_the_grading_package(exercise):
    names = imports_of(ast.parse(Path(exercise.file).read_text(encoding="utf-8")))
    kit = {name for name in names if name.partition(".")[0] == "jobs_kit"}
    assert kit == {"jobs_kit.grading"}


@each
def test_each_check_makes_a_claim_and_is_worth_points(exercise):
    checks = checks_of(exercise)
    assert checks
    for name, (claim, points) in checks.items():
        assert claim, name
        assert len(claim.splitlines()[0]) > 10, name
        assert len(points) == 1, name
        assert points[0] > 0, name
    claims = Counter(claim for claim, _ in checks.values())
    assert claims.most_common(1)[0][1] == 1


@each
def test_each_check_rejects_a_wrong_answer(exercise):
    rejecting = {case.rejected_by for case in cases_of(exercise, "wrong")}
    assert set(checks_of(exercise)) <= rejecting


@each
@pytest.mark.parametrize(("kind", "least"), [("wrong", 5), ("right", 3)])
def test_each_exercise_has_enough_wrong_and_right_answers(exercise, kind, least):
    cases = cases_of(exercise, kind)
    assert len(cases) >= least
    assert all(len(case.why) > 20 for case in cases)


def test_each_case_has_its_own_name_and_each_folder_its_case():
    names = [repr(case) for kind in ("wrong", "right") for case in all_cases(kind)]
    assert len(set(names)) == len(names)
    assert {"/".join(path.parts[-2:]) for path in CASES.glob("*/*/")} <= set(names)


@each
def test_no_hint_and_no_claim_calls_it_easy(exercise):
    words = re.compile(r"\b(simply|just|obviously|probably)\b", re.IGNORECASE)
    claims = [claim for claim, _ in checks_of(exercise).values()]
    texts = [*exercise.hints, exercise.title, *claims]
    assert not [text for text in texts if words.search(text)]
