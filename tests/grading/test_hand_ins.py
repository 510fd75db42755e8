"""Read what students submit, in every form in which they submit it."""

import json
import os
import zipfile

import pytest
from batch_runs import ANYHOW, RIGHT, WRONG, grade

from jobs_kit.grading.batch import hand_ins, unpacking, uploads
from jobs_kit.grading.batch.uploads import Upload, find_uploads, ignored_files
from jobs_kit.grading.limits import SOURCE_FILE_BYTES, SUBMISSION_FILES


def read(student, path):
    return hand_ins.read(Upload(student, (), {"": path}))


def files(path):
    return files_of(Upload("ana", (), {"": path}))


def files_of(upload):
    files = hand_ins.read(upload).files
    return {f"{folder}/{name}": data for (folder, name), data in files.items()}


@pytest.mark.parametrize(
    "name",
    ["echo_worker/echo.py", "echo.py", "final/echo.py", "final/exercises/echo_worker/echo.py"],
)
def test_a_file_is_found_in_any_folder(place, name):
    place("ana", name)
    assert files(place.folder / "ana") == {"echo_worker/echo.py": RIGHT.encode()}


def test_files_with_the_same_name_are_told_apart_by_their_folder(place):
    for name in ("jobs.py", "clients.py", "find_the_bugs/jobs.py", ".progress.json"):
        place("ana", name, name)
    assert set(files(place.folder / "ana")) == {
        "jobs_service/jobs.py",
        "jobs_service/clients.py",
        "jobs_service/.progress.json",
        "find_the_bugs/jobs.py",
    }


@pytest.mark.parametrize("inside", ["work.zip", "../ana.zip"])
def test_a_zip_file_is_opened(place, inside):
    (place.folder / "ana").mkdir()
    with zipfile.ZipFile(place.folder / "ana" / inside, "w") as packed:
        packed.writestr("me/jobs_service/jobs.py", "one")
        packed.writestr("me/echo.py", "two")
    if inside != "work.zip":
        (place.folder / "ana").rmdir()
    assert files_of(find_uploads(place.folder)["ana"]) == {
        "jobs_service/jobs.py": b"one",
        "echo_worker/echo.py": b"two",
    }


def notebook(*sources):
    cells = [{"cell_type": "code", "source": source} for source in sources]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def test_a_notebook_alone_is_read(place):
    place("ana", "echo_worker.ipynb", notebook("from jobs_kit.lab import check", "%cd x", RIGHT))
    place("ana", "add_job.ipynb", notebook("%%writefile jobs.py\nx = 1\n", "check('add_job')"))
    assert files(place.folder / "ana") == {
        "echo_worker/echo.py": RIGHT.encode(),
        "jobs_service/jobs.py": b"x = 1\n",
    }


def test_files_that_cannot_be_read_are_named_in_the_remarks(place):
    place("ana", "work.zip", "this is no zip file")
    place("ana", "echo.ipynb", "this is no notebook")
    place("ana", "jobs.py", "x" * 9_000_000)
    place("ana", "echo.py")
    submission = read("ana", place.folder / "ana")
    remarks = "\n".join(submission.remarks)
    assert all(word in remarks for word in ("work.zip", "echo.ipynb", "jobs.py is too large"))
    assert set(submission.files) == {("echo_worker", "echo.py"), ("jobs_service", "jobs.py")}
    # enough for its check, which rejects it
    assert len(submission.files["jobs_service", "jobs.py"]) == SOURCE_FILE_BYTES + 1


def test_a_hard_link_is_not_read(place, tmp_path):
    (tmp_path / "secret").write_text("hush")
    (place.folder / "ana").mkdir()
    os.link(tmp_path / "secret", place.folder / "ana" / "echo.py")
    submission = read("ana", place.folder / "ana")
    assert not submission.files and "echo.py is a hard link" in submission.remarks[0]


def test_a_notebook_writes_no_more_files_than_may_be_submitted(place):
    for number in range(3):
        cells = [f"%%writefile f{number}_{cell}.py\nx = 1" for cell in range(SUBMISSION_FILES + 5)]
        place("ana", f"{number}.ipynb", notebook(*cells))
    submission = read("ana", place.folder / "ana")
    assert len(submission.files) == SUBMISSION_FILES
    assert sum(f"more than {SUBMISSION_FILES} files" in one for one in submission.remarks) >= 3


def test_a_notebook_of_empty_lines_is_read_at_once(place):
    place("ana", "echo_worker.ipynb", notebook("\n" * 1_000_000 + RIGHT))
    assert RIGHT.encode() in files(place.folder / "ana")["echo_worker/echo.py"]


def test_a_folder_of_many_files_is_read_in_part(place, monkeypatch):
    monkeypatch.setattr(unpacking, "SUBMISSION_ENTRIES", 20)
    for number in range(30):
        place("ana", f"data/{number}.txt", "x")
    submission = read("ana", place.folder / "ana")
    assert "more than 20 files" in submission.remarks[0] and len(submission.other_files) == 20


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_zip_file_of_too_many_files_is_not_read(place, monkeypatch, is_alone):
    monkeypatch.setattr(uploads, "ZIP_INDEX_BYTES", 5000)
    packed = place.folder / "ana.zip" if is_alone else place("ana", "work.zip")
    with zipfile.ZipFile(packed, "w") as file:
        for number in range(200):
            file.writestr(f"{number}/echo.py", RIGHT)
    submission = hand_ins.read(find_uploads(place.folder)["ana"])
    assert not submission.files and "holds too many files" in submission.remarks[0]


def test_a_zip_file_that_cannot_be_unpacked_piece_by_piece_is_not_unpacked(place):
    with zipfile.ZipFile(place("ana", "w.zip"), "w", zipfile.ZIP_BZIP2) as packed:
        packed.writestr("echo.py", b"#" * (50 << 20))
    submission = read("ana", place.folder / "ana")
    assert not submission.files and "make an ordinary zip file" in submission.remarks[0]


KIT = ["exercises/echo_worker/echo.py", "jobs_kit/__init__.py", "jobs_kit/jobs.py"]
KIT += ["solutions/echo_worker/echo.py", "tests/cases/echo_worker/loop_by_hand/echo.py"]


def test_of_a_whole_kit_only_the_exercises_are_read(place):
    (place.folder / "ben").mkdir()
    with zipfile.ZipFile(place.folder / "ben" / "kit.zip", "w") as packed:
        for name in reversed(KIT):
            place("ana", f"kit/{name}", name)
            packed.writestr(f"kit/{name}", name)
    for student in ("ana", "ben"):
        found = read(student, place.folder / student)
        assert found.files == {("echo_worker", "echo.py"): KIT[0].encode()}
        assert "only its exercises/" in found.remarks[0]


def test_other_files_do_not_use_up_the_limit_of_files(place):
    for number in range(301):
        for name in (f"data/{number}.csv", f"env/lib/site-packages/a{number}.py", f"a{number}.py"):
            place("ana", name, "1")
    place("ana", "echo.py")
    assert files(place.folder / "ana")["echo_worker/echo.py"] == RIGHT.encode()


@pytest.mark.parametrize("name", ["echo-1.py", "echo (1).py", "echo-Copy1.py"])
def test_a_name_that_a_download_changed_is_restored(place, name):
    place("ana", f"echo_worker/{name}", WRONG)
    place("ana", f"echo_worker/{name.replace('1', '10')}")
    assert files(place.folder / "ana")["echo_worker/echo.py"] == RIGHT.encode()
    assert "is graded as echo.py" in read("ana", place.folder / "ana").remarks[0]
    place("ana", text="its own")
    assert files(place.folder / "ana")["echo_worker/echo.py"] == b"its own"


def test_a_second_copy_is_remarked_if_it_differs(place):
    for name in ("echo.py", "same/echo.py", "other/echo.py"):
        place("ana", name, WRONG if name.startswith("other") else RIGHT)
    submission = read("ana", place.folder / "ana")
    assert submission.files == {("echo_worker", "echo.py"): RIGHT.encode()}
    assert len(submission.remarks) == 1 and "other/echo.py is left out" in submission.remarks[0]


def test_archives_other_than_zip_are_remarked(place):
    place("ana", "work.tar.gz", "x")
    with zipfile.ZipFile(place.folder / "ana" / "w.zip", "w") as packed:
        packed.writestr("again.ZIP", "x")
    remarks = " ".join(read("ana", place.folder / "ana").remarks)
    assert "work.tar.gz" in remarks and "again.ZIP" in remarks and "one zip file" in remarks


def test_a_broken_file_in_a_zip_file_loses_only_itself(place):
    path = place("ana", "w.zip", "")
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("echo_worker/a.py", "# to be broken")
        packed.writestr("echo_worker\\", "")
        packed.writestr("echo_worker\\echo.py", RIGHT)
    path.write_bytes(path.read_bytes().replace(b"# to be broken", b"# now it is so"))
    submission = read("ana", place.folder / "ana")
    assert submission.files == {("echo_worker", "echo.py"): RIGHT.encode()}
    assert len(submission.remarks) == 1 and "a.py cannot be unpacked" in submission.remarks[0]


def test_a_folder_that_cannot_be_read_loses_only_itself(place, monkeypatch):
    place("ana", "echo.py")
    place("ana", "a/locked.py")
    scan = os.scandir

    def refused(path):  # root would be let in
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    submission = read("ana", place.folder / "ana")
    assert submission.files == {("echo_worker", "echo.py"): RIGHT.encode()}
    assert submission.remarks == ["a cannot be read: Permission denied"]


def test_a_cell_may_append_to_a_file_and_name_its_folder(place):
    cells = "%%writefile jobs.py\nx = 1", "%%writefile -a jobs.py\ny = 2\n"
    place("ana", "a.ipynb", notebook(*cells, "%%writefile ../find_the_bugs/jobs.py\nz = 3\n"))
    assert files(place.folder / "ana") == {
        "jobs_service/jobs.py": b"x = 1\ny = 2\n",
        "find_the_bugs/jobs.py": b"z = 3\n",
    }


def test_files_beside_the_students_are_reported(place, tmp_path):
    place("ana")
    for name in ("roe_12_echo.py", "doejane_12_34_echo.txt", "ben.rar"):
        (place.folder / name).write_text(RIGHT)
    (place.folder / "linked").symlink_to(place.folder / "ana")
    assert ignored_files(place.folder) == [
        "ben.rar",
        "doejane_12_34_echo.txt",
        "linked",
        "roe_12_echo.py",
    ]
    code, output = grade(place, tmp_path / "out", *ANYHOW)
    assert code == 0 and "Ignored" in output and "doejane_12_34_echo.txt" in output


def test_loose_files_from_canvas_are_sorted_by_student(place):
    place("roe_7")
    names = "doe_7_81_jobs.py", "doe_7_82_echo-1.py", "roe_LATE_7_83_echo.py", "roe_8_84_jobs.py"
    for name in names:
        (place.folder / name).write_text(name)
    (place.folder / "doe_7_85_api.py").symlink_to(place.folder / names[0])
    found = {name: files_of(one) for name, one in find_uploads(place.folder).items()}
    assert {name: set(one) for name, one in found.items()} == {
        "doe_7": {"jobs_service/jobs.py", "jobs_service/echo-1.py", "echo_worker/echo.py"},
        "roe_7": {"echo_worker/echo.py"},
        "roe_7 (files)": {"echo_worker/echo.py"},
        "roe_8": {"jobs_service/jobs.py"},
    }
    assert found["doe_7"]["echo_worker/echo.py"] == names[1].encode()
    assert ignored_files(place.folder) == ["doe_7_85_api.py"]


def test_a_single_hand_in_is_one_student_and_reported_as_such(place, tmp_path):
    place("ana")
    assert list(find_uploads(place.folder / "ana")) == ["ana"]
    assert "as one student" not in grade(place, tmp_path / "out", *ANYHOW)[1]
    (place.folder / "echo.py").write_text(WRONG)  # left among the students, by mistake
    assert "as one student" in grade(place, tmp_path / "out", *ANYHOW)[1]
