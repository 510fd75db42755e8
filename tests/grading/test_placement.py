"""Take files and folders whose names are nearly right, and name what was taken and left out."""

import json

import pytest

from jobs_kit.course.places import EXERCISES
from jobs_kit.grading.batch import hand_ins
from jobs_kit.grading.batch.near_names import code_type
from jobs_kit.grading.batch.uploads import Upload

ECHO = "echo_worker/echo.py"
NOT_PART = "submitted, but not part of any exercise: "


def starter(name):
    return (EXERCISES / name).read_text(encoding="utf-8")


def page(*sources):
    return json.dumps({"cells": [{"cell_type": "code", "source": source} for source in sources]})


@pytest.fixture
def placed(tmp_path):
    """Return a function that submits {path: text}; it returns the placed files and the remarks."""

    def hand_in(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        read = hand_ins.read(Upload("ana", (), {"": tmp_path}))
        return {"/".join(key): data.decode() for key, data in read.files.items()}, read.remarks

    return hand_in


@pytest.mark.parametrize(
    "name",
    [
        "Echo.py",
        "ECHO.PY",
        "echo - Copy.py",
        "Copy of echo (2).py",
        "echo - Kopie.py",
        "echo_2.py",
        "echo.py.txt",
        "echo_py.txt",
        "my_echo.py",
        "EchoWorker.py",
        "echoo.py",
        "final version/AnaSilva-echo-v2.py",
        "Echo-Worker/Echo.py",
    ],
)
def test_a_file_with_a_name_that_is_nearly_right_is_taken_and_named(placed, name):
    files, remarks = placed({name: "its own"})
    assert files[ECHO] == "its own"
    # a second module with the same definitions would confuse the checks
    assert not [other for other in files if other != ECHO and " " not in other and "-" not in other]
    assert f"{name} is graded as echo.py, which is missing" in remarks


@pytest.mark.parametrize(
    "name", ["solution.py", "echo_old.py", "test_echo.py", "jobs_api.py", "echo.docx", "main.ipynb"]
)
def test_a_file_that_could_be_anything_is_named_and_not_taken(placed, name):
    files, remarks = placed({name: page() if name.endswith("ipynb") else "x = 1"})
    assert not {ECHO, "jobs_service/api.py", "jobs_service/jobs.py"} & set(files)
    assert remarks == [NOT_PART + name]


def test_a_file_in_the_folder_of_another_exercise_is_taken_if_it_can_be_no_other(placed):
    bugs = {f"find_the_bugs/{name}.py": name for name in ("api", "jobs")}
    files, remarks = placed({**bugs, "find_the_bugs/echo.py": "e", "echo_worker/jobs.py": "j"})
    assert files == {**bugs, ECHO: "e", "echo_worker/jobs.py": "j"}
    assert remarks == [
        "find_the_bugs/echo.py is graded as echo_worker/echo.py, which is missing",
        f"{NOT_PART}echo_worker/jobs.py",
    ]


def test_a_helper_named_like_a_file_of_another_exercise_stays_a_helper(placed):
    answer = {"find_the_bugs/api.py": "import echo", "find_the_bugs/echo.py": "e"}
    assert placed(answer) == (answer, [])


def test_a_page_in_the_folder_of_another_exercise_writes_its_own_files(placed):
    files, _ = placed({"find_the_bugs/echo_worker.ipynb": page("%%writefile echo.py\n1")})
    assert files == {ECHO: "1\n"}


def test_of_two_candidates_none_is_taken_but_of_copies_the_latest(placed):
    files, remarks = placed({"echo_a.py": "a", "echo_b.py": "b"})
    assert ECHO not in files and remarks == [NOT_PART + "echo_a.py, echo_b.py"]
    files, remarks = placed({"echo (2).py": "two", "echo (10).py": "ten"})
    assert files[ECHO] == "ten" and "echo (10).py is graded" in remarks[0]
    assert remarks[1].startswith(NOT_PART) and "echo (2).py" in remarks[1]


def test_a_module_that_an_answer_imports_is_part_of_it(placed):
    files, remarks = placed(
        {
            "jobs_service/jobs.py": "from store.clients import rd\nimport api_tools as tools",
            "jobs_service/api_tools.py": "",
            "jobs_service/store/clients.py": "rd = 1",
            "jobs_service/sketch.py": "",
            "jobs_service/notes.md": "",
        }
    )
    assert "jobs_service/api.py" not in files and "jobs_service/store/clients.py" in files
    assert remarks == [NOT_PART + "jobs_service/sketch.py"]


def test_a_module_that_is_imported_under_its_wrong_name_is_taken_and_kept(placed):
    files, remarks = placed({"my_api.py": "import my_jobs", "my_jobs.py": "def add_job(): pass"})
    assert set(files) == {f"jobs_service/{name}.py" for name in ("api", "jobs", "my_jobs")}
    assert remarks == [
        "my_api.py is graded as api.py, which is missing",
        "my_jobs.py is graded as jobs.py, which is missing",
    ]


@pytest.mark.parametrize(
    "copy", ["echo_worker/echo-Copy1.py", "echo_worker (1)/echo.py", "echo_worker/my_echo.py"]
)
def test_an_answer_beside_the_untouched_starter_is_taken(placed, copy):
    files, remarks = placed({ECHO: starter(ECHO), copy: "x = 1"})
    assert files[ECHO] == "x = 1"
    assert copy in " ".join(remarks) and "graded as echo" in " ".join(remarks)


def test_a_notebook_with_the_answer_beats_the_untouched_starter(placed):
    untouched = "jobs_service/worker.py", "jobs_service/failing_job.ipynb"
    files, remarks = placed(
        {
            ECHO: starter(ECHO),
            "Ana_echo_worker (1).ipynb": page("%%writefile echo.py\nx = 1", "echo()"),
            **{name: starter(name) for name in untouched},
        }
    )
    assert files[ECHO] == "x = 1\n" and files[untouched[0]] == starter(untouched[0])
    assert remarks == [
        f"{ECHO} is unchanged: Ana_echo_worker (1).ipynb is graded",
        "Ana_echo_worker (1).ipynb is graded as echo_worker.ipynb",
    ]


def test_a_notebook_that_writes_the_starter_changes_nothing(placed):
    cell = f"%%writefile echo.py\n{starter(ECHO)}"
    assert placed({ECHO: starter(ECHO), "echo_worker.ipynb": page(cell)}) == (
        {ECHO: starter(ECHO)},
        [],
    )


@pytest.mark.parametrize("name", ["echo.ipynb", "Ana - Echo Worker (2).ipynb.json"])
def test_a_notebook_with_a_name_that_is_nearly_right_is_taken_and_named(placed, name):
    files, remarks = placed({name: page("x = 1")})
    assert files == {ECHO: "x = 1"} and remarks == [f"{name} is graded as echo_worker.ipynb"]


@pytest.mark.parametrize(
    "folder", ["find_the_bugs (1)", "Find The Bugs", "03-find-the-bugs", "findthebugs_final"]
)
def test_a_folder_with_a_name_that_is_nearly_right_is_taken_and_named(placed, folder):
    files, remarks = placed({f"{folder}/api.py": "a", f"{folder}/jobs.py": "b"})
    assert files == {"find_the_bugs/api.py": "a", "find_the_bugs/jobs.py": "b"}
    assert remarks == [f"{folder} is graded as find_the_bugs"]


def test_of_two_folders_one_is_taken_as_a_whole_and_both_are_named(placed):
    first = {f"a/{name}.py": f"a {name}" for name in ("api", "jobs", "worker")}
    second = {f"b/{name}.py": f"b {name}" for name in ("api", "jobs")}
    files, remarks = placed(first | second)
    assert set(files.values()) == set(first.values())
    assert remarks == [
        f"b/{name}.py is left out: a/{name}.py, which differs, is graded as jobs_service/{name}.py"
        for name in ("api", "jobs")
    ]


def test_the_folder_of_a_later_exercise_is_taken_and_gaps_are_filled(placed):
    early = {"add_job/jobs.py": "early", "add_job/worker.py": "w"}
    files, remarks = placed(early | {"job_status/jobs.py": "late", "job_status/api.py": "late"})
    assert files["jobs_service/jobs.py"] == "late" and files["jobs_service/worker.py"] == "w"
    assert "add_job/jobs.py is left out" in remarks[0] and "add_job/worker.py" in remarks[1]


def test_a_repository_that_is_named_like_an_exercise_may_hold_others(placed):
    files, remarks = placed({"jobs-service-main/echo.py": "e", "jobs-service-main/jobs.py": "j"})
    assert files == {ECHO: "e", "jobs_service/jobs.py": "j"}
    assert remarks == ["jobs-service-main is graded as jobs_service"]


def test_names_and_files_that_were_made_to_take_time_take_none(placed):
    lines = {f"jobs_service/a{number}.py": "import " * 20_000 for number in range(60)}
    assert placed(lines)[1] == [NOT_PART + ", ".join(sorted(lines)[:5]) + " and 55 more"]
    assert code_type(".py" * 50_000 + "x") is None


def test_an_empty_submission_is_remarked(placed):
    assert placed({}) == ({}, ["the submission is empty"])
