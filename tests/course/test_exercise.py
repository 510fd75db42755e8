"""An exercise is known by what it declares: its place, its files, and what is given beside them."""

import ast
from dataclasses import replace

import pytest

from jobs_kit.course.exercise import (
    all_exercises,
    earlier,
    find_exercise,
    folder_of_file,
    given_in,
    shell_exercise,
    shuffled_in,
)
from jobs_kit.course.lessons import all_lessons
from jobs_kit.course.places import MATERIAL

each = pytest.mark.parametrize(
    "exercise", all_exercises().values(), ids=lambda exercise: exercise.id
)


def test_there_are_exercises():
    assert all_exercises()


def test_exercises_have_different_numbers_that_follow_the_lessons():
    exercises = list(all_exercises().values())
    numbers = [exercise.number for exercise in exercises]
    assert numbers == sorted(set(numbers))
    lessons = [lesson.name for lesson in all_lessons()]
    places = [lessons.index(exercise.lesson) for exercise in exercises]
    assert places == sorted(places)


@each
def test_hints_are_three_different_ones(exercise):
    assert len(set(exercise.hints)) == 3
    assert all(20 < len(hint) < 300 for hint in exercise.hints)


@each
def test_recorded_files_are_submitted(exercise):
    assert set(exercise.records) <= set(exercise.files)


@each
def test_what_changes_is_named_by_its_file(exercise):
    assert set(exercise.changes) <= set(exercise.files)


def test_earlier_exercises_are_those_of_the_folder_in_order():
    assert earlier(find_exercise("save_and_queue")) == ["modules", "imports"]
    assert earlier(find_exercise("reliable_queue")) == []


def test_an_unknown_exercise_raises_key_error_with_all_ids():
    with pytest.raises(KeyError, match=r"'nope'; there are: .*add_job"):
        find_exercise("nope")


def test_only_an_exercise_with_files_is_graded():
    assert not shell_exercise().is_graded
    assert find_exercise("echo_worker").is_graded
    assert not replace(find_exercise("echo_worker"), files=()).is_graded


def test_given_and_shuffled_files_belong_to_a_whole_folder():
    assert given_in("jobs_service") == ["analysis.py", "data"]
    assert list(shuffled_in("jobs_service")) == ["definitions.py"]
    assert given_in("echo_worker") == []
    assert shuffled_in("echo_worker") == {}


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("echo.py", "echo_worker"),
        ("reliable.py", "reliable_queue"),
        ("jobs.py", "jobs_service"),  # a later folder has a file of this name, too
        ("store.py", "jobs_service"),
    ],
)
def test_a_loose_file_belongs_to_the_first_folder_that_knows_it_or_to_the_project(name, folder):
    assert folder_of_file(name) == folder


def exercise_names_in(source):
    """Return the strings of a module that are an exercise or its folder.

    A function of a student's program, as in submission.call("jobs", "add_job"), is neither.
    """
    names = {name for one in all_exercises().values() for name in (one.id, one.folder)}
    nodes = list(ast.walk(ast.parse(source)))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    functions = [
        argument
        for call in calls
        if getattr(call.func, "attr", None) == "call"
        for argument in call.args
    ]
    strings = [node for node in nodes if isinstance(node, ast.Constant) and node not in functions]
    return [node.value for node in strings if node.value in names]


def test_the_kit_knows_no_exercise_by_name():
    modules = list((MATERIAL / "jobs_kit").rglob("*.py"))
    assert modules
    named = {
        str(path.relative_to(MATERIAL)): exercise_names_in(path.read_text(encoding="utf-8"))
        for path in modules
    }
    assert {path: names for path, names in named.items() if names} == {}


def test_a_module_that_names_an_exercise_is_found():
    source = '"""Check "add_job"."""\ncall("jobs")\nif exercise.folder == "jobs_service": pass\n'
    assert exercise_names_in(source) == ["jobs_service"]
    assert exercise_names_in('submission.call("jobs", "add_job")') == []
