"""Find the students of submissions, as platforms pack and name them."""

import zipfile

import pytest
from batch_runs import RIGHT

from jobs_kit.grading.batch import hand_ins
from jobs_kit.grading.batch.platforms import Person
from jobs_kit.grading.batch.uploads import class_folder, find_uploads, ignored_files

METADATA = """---
submission_101:
  :submitters:
  - :name: "Ren\\u00e9e O'Neil"
    :sid: '0100'
    :email: renee@uni.edu
  :created_at: 2026-11-01 10:00:00.000000000 Z
  :history:
  - :id: 7
    :submitters:
    - :name: an earlier one
      :sid: '9'
submission_102:
  :submitters:
  - :name: Ben Roe
    :sid:
    :email: ben@uni.edu
  - :name: 'Cem "C" Yu'
    :sid: '0102'
  :created_at: 2026-11-01 10:00:00.000000000 Z
"""


def files_of(upload):
    return {"/".join(key): data for key, data in hand_ins.read(upload).files.items()}


def test_moodle_folders_and_files_are_sorted_by_student(place):
    place("Ana Silva_12_assignsubmission_file_", "sub/echo.py", "a")
    place("Ana Silva_12_assignsubmission_onlinetext_", "onlinetext.html", "<p>text")
    place("Ana Silva_13_assignsubmission_file", "echo.py", "another Ana")
    place("Participant_14_assignsubmission_file_", "echo.py", "p")
    (place.folder / "Bo Li_15_assignsubmission_file_my_echo.py").write_text("b")
    (place.folder / "Bo Li_15_assignsubmission_file_jobs.py").write_text("j")
    uploads = find_uploads(place.folder)
    assert list(uploads) == ["Ana Silva_12", "Ana Silva_13", "Bo Li_15", "Participant_14"]
    assert uploads["Ana Silva_12"].people == (Person(id="12", name="Ana Silva"),)
    assert files_of(uploads["Ana Silva_12"]) == {"echo_worker/echo.py": b"a"}
    assert files_of(uploads["Bo Li_15"]) == {
        "echo_worker/echo.py": b"b",
        "jobs_service/jobs.py": b"j",
    }
    assert ignored_files(place.folder) == []


def test_canvas_files_of_every_kind_are_sorted_by_student(place):
    with zipfile.ZipFile(place.folder / "doe_4711_90001_work.zip", "w") as packed:
        packed.writestr("echo.py", "zipped")
    loose = "doe_4711_90002_jobs.py", "roe_LATE_4712_90003_echo-1.py", "poe_4713_90004_echo.docx"
    for name in (*loose, "moe_4714_text.html", "anon_x7Yz3_90005_echo.py"):
        (place.folder / name).write_text(name)
    uploads = find_uploads(place.folder)
    assert list(uploads) == ["anon_x7Yz3", "doe_4711", "moe_4714", "poe_4713", "roe_4712"]
    assert set(files_of(uploads["doe_4711"])) == {"echo_worker/echo.py", "jobs_service/jobs.py"}
    remarks = {name: hand_ins.read(upload).remarks for name, upload in uploads.items()}
    assert remarks["roe_4712"][0] == "submitted late: the platform marks it LATE"
    assert remarks["poe_4713"] == ["submitted, but not part of any exercise: echo.docx"]
    assert remarks["moe_4714"] == ["submitted, but not part of any exercise: text.html"]
    assert ignored_files(place.folder) == []


def test_blackboard_and_brightspace_names_are_sorted_by_student_the_latest_first(place):
    for day, text in (("19", "early"), ("20", "late")):
        attempt = f"HW 1_asilva_attempt_2026-11-{day}-13-05-09"
        (place.folder / f"{attempt}_echo.py").write_text(text)
        (place.folder / f"{attempt}.txt").write_text("Name: Ana Silva (asilva)")
    place("1234-5678 - Ben Roe - Nov 20, 2026 105 PM", "echo.py", "b")
    (place.folder / "1235-5679 - Cem Yu - Nov 20, 2026 1105 AM - Echo.py").write_text("c")
    uploads = find_uploads(place.folder)
    assert {name: one.people for name, one in uploads.items()} == {
        "Ben Roe_1234": (Person("1234", name="Ben Roe"),),
        "Cem Yu_1235": (Person("1235", name="Cem Yu"),),
        "asilva": (Person(logins=("asilva",)),),
    }
    files = [files_of(upload)["echo_worker/echo.py"] for upload in uploads.values()]
    assert files == [b"b", b"c", b"late"] and ignored_files(place.folder) == []
    assert "19-13-05-09_echo.py/echo.py is left out" in hand_ins.read(uploads["asilva"]).remarks[0]


def test_a_download_with_one_file_that_is_nearly_code_is_a_download(place):
    for name in ("doe_4711_90001_echo.py.txt", "roe_4712_90002_echo.docx"):
        (place.folder / name).write_text("x = 1")
    assert list(find_uploads(place.folder)) == ["doe_4711", "roe_4712"]


def test_gradescope_submissions_get_the_names_of_their_authors(place):
    place("assignment_1_export/submission_101")
    place("assignment_1_export/submission_102")
    place("assignment_1_export/submission_103")
    (place.folder / "assignment_1_export" / "submission_metadata.yml").write_text(METADATA)
    uploads = find_uploads(place.folder)
    assert {name: one.people for name, one in uploads.items() if name != "submission_103"} == {
        "Renée O'Neil (submission_101)": (Person("0100", ("renee@uni.edu",), "Renée O'Neil"),),
        'Ben Roe, Cem "C" Yu (submission_102)': (
            Person("", ("ben@uni.edu",), "Ben Roe"),
            Person("0102", (), 'Cem "C" Yu'),
        ),
    }
    assert len(uploads) == 3 and ignored_files(place.folder) == []


def test_a_zip_file_beside_its_folder_is_of_the_same_student(place):
    place("ana", "echo.py", "unpacked")
    with zipfile.ZipFile(place.folder / "ana.zip", "w") as packed:
        packed.writestr("ana/echo.py", "packed")
        packed.writestr("ana/jobs.py", "j")
    [upload] = find_uploads(place.folder).values()
    assert files_of(upload) == {"echo_worker/echo.py": b"unpacked", "jobs_service/jobs.py": b"j"}
    assert "ana/ana/echo.py is left out: echo.py" in hand_ins.read(upload).remarks[0]


def test_repositories_are_of_the_login_in_their_names(place):
    for name in ("hw1-ana-silva", "hw1-ana-berg", "hw1-zoe"):
        place(name)
    people = {name: one.people[0].logins for name, one in find_uploads(place.folder).items()}
    assert people == {
        "hw1-ana-silva": ("hw1-ana-silva", "ana-silva", "silva"),
        "hw1-ana-berg": ("hw1-ana-berg", "ana-berg", "berg"),
        "hw1-zoe": ("hw1-zoe", "zoe"),
    }


@pytest.mark.parametrize(
    ("paths", "students"),
    [
        (["hw1/ana/echo.py", "hw1/ben/x/echo.py"], ["ana", "ben"]),
        (["x/Ana_1_assignsubmission_file_/main.py"], ["Ana_1"]),
        (["ana/part1/echo.py", "ana/part2/jobs.py"], ["ana"]),
        (["ana/v1/echo.py", "ana/v2/echo.py"], ["ana"]),
        (["ana/jobs_service/jobs.py", "ana/find_the_bugs/jobs.py"], ["ana"]),
        (["ana/find_the_bugs (1)/jobs.py", "ana/other/jobs.py"], ["ana"]),
        (["ana/.git/HEAD", "ana/one/echo.py", "ana/two/echo.py"], ["ana"]),
        (["ana/echo.py", "ben/echo.py"], ["ana", "ben"]),
        (["echo.py"], ["class"]),
        (["Echo.py", "notes.txt"], ["class"]),
        (["find_the_bugs (1)/api.py"], ["class"]),
        (["Echo.py", "ana/echo.py"], ["ana"]),
        (["ana_echo.py", "ben_echo.py"], []),
    ],
)
def test_a_folder_holds_a_class_or_the_work_of_one_student(tmp_path, paths, students):
    for name in paths:
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(RIGHT)
    assert list(find_uploads(tmp_path / "class")) == students


def test_the_packed_download_of_a_class_must_be_unpacked(place):
    with zipfile.ZipFile(place.folder / "submissions.zip", "w") as packed:
        packed.writestr("Ana_1_assignsubmission_file_/echo.py", RIGHT)
    with pytest.raises(ValueError, match=r"submissions\.zip holds .* unpack it"):
        find_uploads(place.folder)
    with pytest.raises(NotADirectoryError, match=r"not a folder .*: unpack it"):
        find_uploads(place.folder / "submissions.zip")
    (place.folder / "submissions.zip").rename(place.folder / "ana.zip")
    with zipfile.ZipFile(place.folder / "ana.zip", "w") as packed:
        packed.writestr("echo.py", RIGHT)
    assert list(find_uploads(place.folder)) == ["ana"]
    assert class_folder(place.folder) == place.folder
