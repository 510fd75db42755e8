"""What students get is pressed from the masters, and nothing is lost when it is."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from jobs_kit.course import starters
from jobs_kit.course.exercise import all_exercises, earlier

ROOT = Path(__file__).parents[2]

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


def solved(*names):
    return starters.press(MASTER, lambda name: name in names)


def test_a_region_of_a_function_becomes_dots_and_one_of_a_module_nothing():
    assert solved() == '"""A module."""\n\n\ndef first():\n    """Do it."""\n    ...\n\n\n' + (
        "def second(...): ...\n"
    )


def test_a_solved_region_stays_without_its_markers():
    assert "import json\n\n\ndef first():" in solved("one")
    assert "###" not in solved("one", "two", "three")


def test_inner_regions_follow_the_outer_one():
    assert 'return "for now"' in solved("two")
    assert 'return "for good"' in solved("two", "three")
    assert "for" not in solved("three").split("def second")[1]


@pytest.mark.parametrize("text", ["### BEGIN SOLUTION\n", "### END SOLUTION\n"])
def test_half_a_region_is_refused(text):
    with pytest.raises(ValueError, match="without its"):
        starters.press(text, lambda name: True)


@pytest.mark.parametrize("exercise", all_exercises().values(), ids=lambda one: one.id)
def test_every_starting_point_is_python(exercise):
    if not exercise.files:
        return
    for text in starters.stage(exercise.folder, set(earlier(exercise))).values():
        ast.parse(text)
        assert "SOLUTION" not in text


def test_the_thirteen_definitions_are_handed_out_without_underscores():
    text = starters.definitions()
    tree = ast.parse(text)
    assert len(tree.body) == 1 + 13
    assert not any(f"_{name}" in text for name in starters.PRIVATE)
    assert all(name in text for name in starters.PRIVATE)
    assert "import" not in text


def test_what_is_pressed_is_fresh():
    stale = [
        name
        for name, data in starters.starters().items()
        if not (path := ROOT / "exercises" / name).exists() or path.read_bytes() != data
    ]
    assert stale == [], "run `make press` (if you typed into exercises/ yourself, this is no fault)"
    for name, data in starters.given().items():
        assert (ROOT / "solutions" / "jobs_service" / name).read_bytes() == data


def test_every_exercise_has_its_notebook_its_master_and_its_files():
    for exercise in all_exercises().values():
        for place in ("exercises", "solutions"):
            folder = ROOT / place / exercise.folder
            assert (folder / f"{exercise.id}.ipynb").is_file()
            assert all((folder / name).is_file() for name in exercise.files)


def test_nothing_lies_in_exercises_that_is_neither_pressed_nor_a_check():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "exercises"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.split()
    names = {name.removeprefix("exercises/") for name in listed}
    checks = {f"{one.folder}/test_{one.id}.py" for one in all_exercises().values()}
    assert names - checks - set(starters.starters()) == set()


def notebook(*cells):
    made = nbformat.v4.new_notebook(cells=list(cells))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return made


def test_a_notebook_is_pressed_without_solutions_and_outputs():
    said = nbformat.v4.new_output("stream", text="4")
    pressed = json.loads(
        starters.press_notebook(
            nbformat.writes(
                notebook(
                    nbformat.v4.new_markdown_cell("# Do it"),
                    nbformat.v4.new_code_cell("2 + 2", metadata={"tags": ["solution"]}),
                    nbformat.v4.new_code_cell(
                        'check("add").require_pass()', outputs=[said], execution_count=3
                    ),
                )
            )
        )
    )
    assert [cell["cell_type"] for cell in pressed["cells"]] == ["markdown", "code"]
    assert pressed["cells"][1]["source"] == ['check("add")']
    assert pressed["cells"][1]["outputs"] == []
    assert pressed["cells"][1]["execution_count"] is None


@pytest.mark.parametrize(
    "path", sorted((ROOT / "solutions").glob("*/*.ipynb")), ids=lambda p: p.stem
)
def test_a_walk_through_demands_the_pass_and_has_its_outputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert any(f'check("{path.stem}").require_pass()' in "".join(c["source"]) for c in code)
    assert all(cell["execution_count"] for cell in code), "run it from the top and store it"
    assert any("solution" in cell["metadata"].get("tags", []) for cell in cells)


@pytest.fixture
def clone(tmp_path):
    """A small clone of this repository, to be pressed in."""
    if not shutil.which("git"):
        pytest.skip("git is not installed, and it is what keeps work from being lost")
    for name in ("jobs_kit", "solutions", "exercises"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "all")
    return tmp_path


def git(folder, *arguments):
    subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True)


def press_in(clone):
    command = [sys.executable, "-m", "jobs_kit.cli", "press"]
    done = subprocess.run(
        command,
        cwd=clone,
        env={"PYTHONPATH": str(clone), "PATH": "/usr/bin:/bin"},
        text=True,
        capture_output=True,
    )
    return done.returncode, done.stdout + done.stderr


def test_pressing_again_changes_nothing(clone):
    assert press_in(clone) == (0, "")


def test_pressing_writes_what_a_master_says(clone):
    master = clone / "solutions" / "echo_worker" / "echo.py"
    master.write_text(master.read_text().replace('"""Print each', '"""Show each', 1))
    code, said = press_in(clone)
    assert code == 0 and "pressed exercises/echo_worker/echo.py" in said
    assert '"""Show each' in (clone / "exercises" / "echo_worker" / "echo.py").read_text()


def test_pressing_does_not_overwrite_what_git_has_not_got(clone):
    starter = clone / "exercises" / "echo_worker" / "echo.py"
    starter.write_text("# a student's work\n")
    code, said = press_in(clone)
    assert code == 1 and "exercises/echo_worker/echo.py" in said
    assert starter.read_text() == "# a student's work\n"
