"""A command acts on the folder that it names, or on the current one if that is the exercise's."""

import pytest

from jobs_kit.course import answer_folders
from jobs_kit.course.answer_folders import (
    answer_folder,
    exercises_for,
    require_folder,
    short_path,
)
from jobs_kit.course.exercise import all_exercises, exercises_in, find_exercise
from jobs_kit.course.places import EXERCISES, MATERIAL

BOTH = ["find_the_bugs/jobs.py", "jobs_service/jobs.py"]
MINE = [f"mine/{name}" for name in ("api.py", "jobs.py", "worker.py")]
BUGS = [*MINE, "mine/find_the_bugs.ipynb"]
KIT = "the kit's exercises/"


@pytest.fixture
def tree(tmp_path):
    """Return a function that writes empty files below a folder, which it returns."""

    def write(names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("files", "here", "name", "expected"),
    [
        (BOTH, "jobs_service", "add_job", "jobs_service"),
        (BOTH, "find_the_bugs", "find_the_bugs", "find_the_bugs"),
        (BOTH, "find_the_bugs", "add_job", "jobs_service"),  # beside it, as in exercises/
        (BOTH, "find_the_bugs", "echo_worker", KIT),
        (BOTH[:1], "find_the_bugs", "add_job", KIT),
        (BOTH, ".", "add_job", "jobs_service"),
        (["kit/exercises/echo_worker/echo.py"], "kit", "echo_worker", "kit/exercises/echo_worker"),
        (["echo_worker/x", "echo.py"], ".", "echo_worker", "echo_worker"),
        (["add_job/jobs.py"], "add_job", "add_job", "add_job"),
        (["add_job/jobs.py"], "add_job", "save_and_queue", KIT),
        (MINE, "mine", "add_job", "mine"),
        (MINE, "mine", "echo_worker", KIT),
        (MINE, "mine", "two_shells", KIT),
        (MINE, "mine", "find_the_bugs", KIT),  # or catch-up would bring the bugs back
        (["mine/api.py"], "mine", "execute_job", "mine"),  # another file of the same service
        (["mine/notes.txt"], "mine", "add_job", KIT),
        (BUGS, "mine", "find_the_bugs", "mine"),  # a copy of the whole folder
        (BUGS, "mine", "add_job", KIT),
        ([*BUGS, "mine/imports.ipynb"], "mine", "add_job", "mine"),
        (["jobs_service/jobs_service/x", *BOTH], "jobs_service", "add_job", "jobs_service"),
    ],
)
def test_the_current_folder_counts_if_it_is_the_exercise_s(
    tree, monkeypatch, files, here, name, expected
):
    root, exercise = tree(files), find_exercise(name)
    monkeypatch.chdir(root / here)
    folder = EXERCISES / exercise.folder if expected == KIT else root / expected
    assert answer_folder(exercise) == folder


@pytest.mark.parametrize("folder", answer_folders.NO_ANSWERS)
def test_the_kit_s_own_files_are_no_answers(monkeypatch, folder):
    monkeypatch.chdir(MATERIAL / folder)
    for exercise in all_exercises().values():
        assert answer_folder(exercise) == EXERCISES / exercise.folder


@pytest.mark.parametrize(
    ("files", "place", "name", "expected"),
    [
        (BOTH, ".", "add_job", "jobs_service"),
        (BOTH, "find_the_bugs", "find_the_bugs", "find_the_bugs"),
        (MINE, "mine", "add_job", "mine"),
        (MINE, "mine", "find_the_bugs", "mine"),
        (MINE, ".", "add_job", "jobs_service"),
        (MINE, "mine", "echo_worker", "mine/echo_worker"),
        (["kit/exercises/echo_worker/x"], "kit", "echo_worker", "kit/exercises/echo_worker"),
        (["jobs_service/echo.py"], "jobs_service", "echo_worker", "jobs_service/echo_worker"),
    ],
)
def test_a_folder_that_was_named_is_the_answer_s_or_holds_it(tree, files, place, name, expected):
    root = tree(files)
    assert answer_folder(find_exercise(name), root / place) == root / expected


def test_a_link_has_two_names(tree, monkeypatch):
    root, add_job = tree([*MINE, "find_the_bugs/jobs.py"]), find_exercise("add_job")
    for name in ("jobs_service", "my_bugs"):
        (root / name).symlink_to(root / ("mine" if name == "jobs_service" else "find_the_bugs"))
    (root / "mine" / "jobs.py").unlink()
    assert answer_folder(add_job, root / "jobs_service") == root / "jobs_service"
    with pytest.raises(ValueError, match="my_bugs is the folder of find_the_bugs"):
        require_folder(add_job, root / "my_bugs")
    monkeypatch.chdir(root / "my_bugs")
    assert answer_folder(find_exercise("echo_worker")) == EXERCISES / "echo_worker"


def test_a_folder_named_for_other_exercises_is_refused(tree):
    root = tree([*BOTH, "find_the_bugs/echo_worker/echo.py"])
    with pytest.raises(ValueError, match="is the folder of find_the_bugs, and not of add_job"):
        require_folder(find_exercise("add_job"), root / "find_the_bugs")
    for place in (root, root / "jobs_service"):
        require_folder(find_exercise("add_job"), place)
    require_folder(find_exercise("echo_worker"), root / "find_the_bugs")
    with pytest.raises(ValueError, match="mine is the folder of find_the_bugs"):
        require_folder(find_exercise("add_job"), tree(BUGS) / "mine")


def test_a_named_folder_is_for_the_exercises_of_its_name_or_for_all(tmp_path):
    assert exercises_for(tmp_path / "jobs_service") == exercises_in("jobs_service")
    assert exercises_for(tmp_path / "add_job") == [find_exercise("add_job")]
    assert exercises_for(tmp_path) == exercises_for(None) == list(all_exercises().values())


def test_a_path_is_short_where_it_is_clear(tmp_path, monkeypatch):
    monkeypatch.chdir(MATERIAL / "notebooks")
    assert short_path(EXERCISES / "echo_worker") == "exercises/echo_worker"
    assert short_path(tmp_path) == str(tmp_path)
    monkeypatch.chdir(tmp_path)  # there may be another exercises/ here
    assert short_path(EXERCISES) == str(EXERCISES)
