"""A new lesson is one notebook, and a new exercise its own files: `make press` does the rest."""

import json
from pathlib import Path

import nbformat
import pytest
from made_up_lesson import GOOD, notebook_of

from jobs_kit.course.lessons import all_lessons

MASTER = '''"""Counting, for those who can't sleep."""


def count(sheep):
    """Return how many sheep there are."""
    ### BEGIN SOLUTION
    return len(sheep)
    ### END SOLUTION
'''

CHECK = '''"""count() counts sheep."""

from jobs_kit.grading import Exercise, expect, points

EXERCISE = Exercise(
    __file__,
    number=1000,
    lesson="LESSON",
    title="Count sheep",
    files=("sheep.py",),
    changes={"sheep.py": ("count",)},
    hints=(
        "Which function of Python knows how long a list is?",
        "The function gets a list and returns a number.",
        "It is one line: return, and len() of the argument.",
    ),
)


@points(1)
def test_sheep_are_counted(submission):
    """Two sheep in a list are counted as two"""
    call = submission.call("sheep", "count", ["Dolly", "Shaun"])
    expect(call.value == 2, "it returns 2", call=call, got=call.value, hint="How long is the list?")
'''

CASE = """
[[{kind}]]
name = "{name}"
why = "An answer that was made up for a test."
{reasons}

[[{kind}.edit]]
file = "sheep.py"
old = "    return len(sheep)"
new = "    return {name}"
"""
REASONS = 'rejected_by = "test_sheep_are_counted"\nsays = "it returns 2"'
WRONG = ["1", "len(sheep) + 1", "sheep", "None", "'two'"]
QUICK = ("-m", "not slow")  # these tests themselves are slow
RIGHT = ["sum(1 for one in sheep)", "sheep.__len__()", "[*map(str, sheep)].__len__()"]


def walk_through():
    """Return the walk-through of the made-up exercise as text (JSON)."""
    title = "# Count sheep\n\n**Minutes:** 5. This is a stretch."
    cells = [
        nbformat.v4.new_markdown_cell(title),
        nbformat.v4.new_code_cell("2 + 2", metadata={"tags": ["solution"]}, execution_count=1),
        nbformat.v4.new_code_cell('check("count_sheep").require_pass()', execution_count=2),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=metadata))


def made_up_exercise():
    """Return {path: text} of the files of the made-up exercise."""
    wrong = [CASE.format(kind="wrong", name=name, reasons=REASONS) for name in WRONG]
    right = [CASE.format(kind="right", name=name, reasons="") for name in RIGHT]
    return {
        "solutions/count_sheep/sheep.py": MASTER,
        "solutions/count_sheep/count_sheep.ipynb": walk_through(),
        "exercises/count_sheep/test_count_sheep.py": CHECK.replace(
            "LESSON", all_lessons()[-1].name
        ),
        "tests/cases/count_sheep.toml": "".join([*wrong, *right]),
    }


def add_files(kit_copy, files):
    """Write {path: text} into a copy of the kit and commit."""
    for name, text in files.items():
        path = kit_copy.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    kit_copy.commit()


def run_tests(kit_copy, *arguments):
    """Run tests in a copy of the kit; return (exit code, output)."""
    return kit_copy.run(
        "pytest", "-p", "no:nbval", "-p", "no:cacheprovider", "-o", "addopts=", *arguments
    )


def made_up_notebook():
    """Return the made-up lesson as text (JSON), a stretch so that the course stays as long."""
    text = GOOD.replace("**Minutes:** 5", "**Minutes:** 5. This is a stretch.")
    kinds = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    cells = [kinds[cell["cell_type"]](cell["source"]) for cell in notebook_of(text)["cells"]]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=metadata))


@pytest.mark.slow
def test_a_new_lesson_is_one_notebook(kit_copy):
    *_, last = sorted((kit_copy.folder / "notebooks").glob("[0-9]*.ipynb"))
    name = f"notebooks/{int(last.name[:2]) + 1}_count_the_sheep.ipynb"
    add_files(kit_copy, {name: made_up_notebook()})
    code, output = kit_copy.press()
    assert code == 0, output
    first = "notebooks/00_start_here.ipynb"
    assert kit_copy.changed_files() == {"README.md", first, f"notebooks/{last.name}"}
    row = f"| [{name[10:12]} Count the sheep]({name}) | count |"
    assert row in (kit_copy.folder / "README.md").read_text()
    end = json.loads(last.read_text())["cells"][-1]["source"]
    assert end[0] == f"**Next:** [Count the sheep]({Path(name).name}): count.\n"
    files = (
        "tests/course/test_lessons.py",
        "tests/course/test_press.py",
        "tests/test_repository.py",
    )
    tests = "lesson or fresh or links or stored"
    code, output = run_tests(kit_copy, *files, "-k", tests, *QUICK)
    assert code == 0, output


@pytest.mark.slow
def test_a_new_exercise_is_its_master_walk_through_check_and_cases(kit_copy):
    add_files(kit_copy, made_up_exercise())
    code, output = kit_copy.press()
    assert code == 0, output
    pressed = {"exercises/count_sheep/sheep.py", "exercises/count_sheep/count_sheep.ipynb"}
    assert kit_copy.changed_files() == {"README.md", *pressed}
    code, output = kit_copy.run("jobs_kit.cli", "check", "count_sheep")
    assert code == 1
    assert "count_sheep: not attempted" in output
    places = ("tests/course", "tests/grading/test_exercises.py")
    code, output = run_tests(kit_copy, *places, "-k", "every or exercise", *QUICK)
    assert code == 0, output
    code, output = run_tests(kit_copy, "tests/grading/test_cases.py", "-k", "count_sheep")
    assert code == 0, output
