"""A student's course folder: complete, never overwritten, and found from wherever one is in it."""

from pathlib import Path

import pytest
from test_repository import broken_links

from jobs_kit.course import course_setup, places
from jobs_kit.course.course_setup import course_files, set_up_course
from jobs_kit.course.places import FIRST, CourseNotFoundError, course_folder
from jobs_kit.course.starters import all_starters


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder as it is set up."""
    return set_up_course(tmp_path_factory.mktemp("course") / "deep" / "my course").folder


@pytest.fixture
def small_kit(monkeypatch):
    """A kit that sets up two files."""
    files = {"notebooks/a.ipynb": b"kit", FIRST: b"kit"}
    monkeypatch.setattr(course_setup, "course_files", lambda: files)
    return files


def test_a_course_has_what_students_get_and_nothing_else(course):
    files = {path.relative_to(course).as_posix() for path in course.rglob("*") if path.is_file()}
    assert {f"exercises/{name}" for name in all_starters()} <= files
    assert {"README.md", FIRST, "notebooks/pictures/board.png", "jobs_kit/jobs.py"} <= files
    unwanted = ("test_", "/checks/", "/scratch/", "solutions/", "__init__", "/.")
    assert not [name for name in files if any(word in name for word in unwanted)]


def test_every_link_of_a_page_leads_to_a_file_of_the_course(course):
    broken = {path.name: broken_links(path) for path in course.rglob("*.ipynb")}
    assert broken and {name: links for name, links in broken.items() if links} == {}


def test_a_folder_of_the_service_does_not_hide_the_kit(course, run):
    code = "import sys; sys.path.insert(0, ''); import jobs_kit.lab; print(jobs_kit.lab.__name__)"
    process = run("-c", f"import os; os.chdir({str(course)!r}); {code}")
    assert process.stdout.read() == "jobs_kit.lab\n"


def test_nothing_is_overwritten_and_what_is_new_is_added(small_kit, tmp_path):
    assert str(set_up_course(tmp_path)).endswith(f"Written: notebooks/a.ipynb, {FIRST}.")
    assert "Written" not in str(set_up_course(tmp_path))
    (tmp_path / FIRST).write_text("mine")
    (tmp_path / "notebooks/a.ipynb").unlink()
    (tmp_path / "notebooks/a.ipynb").symlink_to("nowhere")
    (tmp_path / "notebooks/b.ipynb").mkdir()
    small_kit |= {"notebooks/b.ipynb": b"kit", "notebooks/new/c.ipynb": b"kit"}
    setup = set_up_course(tmp_path)
    assert setup.written == ["notebooks/new/c.ipynb"]
    assert "Kept, though the kit's own differ: notebooks/a.ipynb, " in str(setup)
    assert (tmp_path / FIRST).read_text() == "mine"
    assert (tmp_path / "notebooks/a.ipynb").is_symlink()


def test_a_setup_that_ends_early_goes_on_the_next_time(small_kit, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            set_up_course(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["notebooks"]
    assert len(set_up_course(tmp_path).written) == 2


@pytest.mark.parametrize("name", ["my-course", "notebooks/mine", "exercises"])
def test_no_course_is_set_up_inside_another(small_kit, tmp_path, name, monkeypatch):
    set_up_course(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="would be inside the course folder"):
        set_up_course(name)


def test_a_course_is_found_from_each_of_its_folders(small_kit, tmp_path, monkeypatch):
    set_up_course(tmp_path)
    (tmp_path / "exercises" / "add_job").mkdir(parents=True)
    for folder in (".", "notebooks", "exercises/add_job"):
        monkeypatch.chdir(tmp_path / folder)
        assert course_folder() == tmp_path


def test_elsewhere_the_course_is_the_clone_or_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert course_folder() == places.MATERIAL
    monkeypatch.setattr(places, "IS_CLONE", False)
    with pytest.raises(CourseNotFoundError, match="`jobs-kit start my-course` sets up a new one"):
        course_folder()
    (tmp_path / "my-course" / "notebooks").mkdir(parents=True)
    (tmp_path / "my-course" / FIRST).touch()
    with pytest.raises(CourseNotFoundError, match=r"Go to .*/my-course first"):
        course_folder()


def test_the_marker_comes_last():
    assert list(course_files())[-1] == FIRST
