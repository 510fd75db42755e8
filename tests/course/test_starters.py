"""Starters are pressed from the masters, with every file that an exercise declares as given."""

import ast
import json

import nbformat
import pytest

from jobs_kit.course import starters
from jobs_kit.course.exercise import all_exercises, earlier, find_exercise
from jobs_kit.course.places import MASTERS

MASTER = '''"""A module."""
### BEGIN SOLUTION one
import json
### END SOLUTION


def first():
    """Do it."""
    ### BEGIN SOLUTION one
    return json
    ### END SOLUTION


### BEGIN SOLUTION two
### | def second(...): ...
@first
def second():
    ### BEGIN SOLUTION three
    ### | return "for now"
    return "for good"
    ### END SOLUTION
### END SOLUTION
'''


def press_master(*solved):
    return starters.press(MASTER, lambda name: name in solved)


def test_a_region_becomes_dots_in_a_function_and_nothing_in_a_module():
    assert press_master() == (
        '"""A module."""\n\n\ndef first():\n    """Do it."""\n    ...\n\n\ndef second(...): ...\n'
    )


def test_a_solved_region_stays_without_its_markers():
    assert "import json\n\n\ndef first():" in press_master("one")
    assert "###" not in press_master("one", "two", "three")


def test_a_region_inside_another_stays_only_if_both_are_solved():
    assert 'return "for now"' in press_master("two")
    assert 'return "for good"' in press_master("two", "three")
    assert "for" not in press_master("three").split("def second")[1]


@pytest.mark.parametrize("text", ["### BEGIN SOLUTION\n", "### END SOLUTION\n"])
def test_half_a_region_raises_value_error(text):
    with pytest.raises(ValueError, match="without its"):
        starters.press(text, lambda name: True)


@pytest.mark.parametrize("exercise", all_exercises().values(), ids=lambda exercise: exercise.id)
def test_every_starter_is_python_without_markers(exercise):
    if exercise.files:
        for text in starters.stage(exercise.folder, set(earlier(exercise))).values():
            ast.parse(text)
            assert "SOLUTION" not in text


def test_definitions_are_shuffled_without_imports_and_underscores():
    exercise = find_exercise("modules")
    text = starters.shuffled_definitions(exercise)
    docstring, *definitions = ast.parse(text).body
    assert docstring.value.value == exercise.shuffled.docstring
    assert len(definitions) == len(exercise.shuffled.names) == 13
    assert all(name in text for name in exercise.shuffled.names)
    assert not any(f"_{name}" in text for name in exercise.shuffled.names)
    assert "import" not in text


def test_given_files_are_copied_only_into_the_folder_that_declares_them():
    given = set(starters.given_files("jobs_service"))
    assert {"analysis.py", "data/seattle-weather.csv", "definitions.py"} <= given
    assert starters.given_files("echo_worker") == {}


def test_a_given_file_is_no_starter_although_it_is_among_the_masters():
    assert (MASTERS / "jobs_service" / "analysis.py").is_file()
    assert set(starters.stage("jobs_service", ())) == {"api.py", "jobs.py", "worker.py"}


def test_a_notebook_is_pressed_without_solutions_and_outputs():
    output = nbformat.v4.new_output("stream", text="4")
    walk_through = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Do it"),
            nbformat.v4.new_code_cell("2 + 2", metadata={"tags": ["solution"]}),
            nbformat.v4.new_code_cell(
                'check("add").require_pass()', outputs=[output], execution_count=3
            ),
        ]
    )
    walk_through.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    pressed = json.loads(starters.press_notebook(nbformat.writes(walk_through)))
    assert [cell["cell_type"] for cell in pressed["cells"]] == ["markdown", "code"]
    assert pressed["cells"][1]["source"] == ['check("add")']
    assert pressed["cells"][1]["outputs"] == []
    assert pressed["cells"][1]["execution_count"] is None


WALK_THROUGHS = sorted(MASTERS.glob("*/*.ipynb"))


def test_every_exercise_has_a_walk_through():
    assert {path.stem for path in WALK_THROUGHS} == set(all_exercises())


@pytest.mark.parametrize("path", WALK_THROUGHS, ids=lambda path: path.stem)
def test_a_walk_through_requires_the_pass_and_has_its_outputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    required = f'check("{path.stem}").require_pass()'
    assert any(required in "".join(cell["source"]) for cell in code)
    assert all(cell["execution_count"] for cell in code), "run it from the top and store it"
    assert any("solution" in cell["metadata"].get("tags", []) for cell in cells)
