"""`make press` keeps the repository fresh, and overwrites nothing that git does not know."""

import subprocess

from jobs_kit.course.exercise import all_exercises
from jobs_kit.course.places import EXERCISES, MASTERS, MATERIAL
from jobs_kit.course.press import stale_files
from jobs_kit.course.starters import all_starters


def test_every_pressed_file_is_fresh():
    stale = [str(path.relative_to(MATERIAL)) for path in stale_files()]
    assert stale == [], (
        "run `make press` (your own work in exercises/ counts as stale, too: ignore it)"
    )


def test_every_exercise_has_its_notebook_its_master_and_its_files():
    for exercise in all_exercises().values():
        for place in (EXERCISES, MASTERS):
            folder = place / exercise.folder
            assert (folder / f"{exercise.id}.ipynb").is_file()
            assert all((folder / name).is_file() for name in exercise.files)


def test_exercises_holds_only_pressed_files_and_checks():
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "exercises"]
    listed = subprocess.run(command, cwd=MATERIAL, capture_output=True, text=True).stdout.split()
    names = {name.removeprefix("exercises/") for name in listed}
    checks = {f"{one.folder}/test_{one.id}.py" for one in all_exercises().values()}
    assert names
    assert names - checks - set(all_starters()) == set()


def test_pressing_again_writes_nothing(kit_copy):
    assert kit_copy.press() == (0, "")


def test_a_changed_master_changes_its_starter(kit_copy):
    master = kit_copy.folder / "solutions" / "echo_worker" / "echo.py"
    master.write_text(master.read_text().replace('"""Print each', '"""Show each', 1))
    code, output = kit_copy.press()
    assert code == 0
    assert "pressed exercises/echo_worker/echo.py" in output
    assert '"""Show each' in (kit_copy.folder / "exercises" / "echo_worker" / "echo.py").read_text()


def test_a_starter_that_is_not_committed_is_not_overwritten(kit_copy):
    starter = kit_copy.folder / "exercises" / "echo_worker" / "echo.py"
    starter.write_text("# a student's work\n")
    code, output = kit_copy.press()
    assert code == 1
    assert "exercises/echo_worker/echo.py" in output
    assert starter.read_text() == "# a student's work\n"


def test_a_page_that_is_being_written_gets_its_link_all_the_same(kit_copy):
    lesson = next((kit_copy.folder / "notebooks").glob("00_*.ipynb"))
    text = lesson.read_text()
    lesson.write_text(text.replace("**Next:** [", "**Next:** [Wrongly called: "))
    code, output = kit_copy.press()
    assert code == 0
    assert output == f"pressed {lesson.relative_to(kit_copy.folder)}\n"
    assert "Wrongly" not in lesson.read_text()
    assert kit_copy.changed_files() == set()
