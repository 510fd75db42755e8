"""Hostile submissions are contained, get what they deserve, and their neighbours notice nothing."""

import csv
import ctypes
import json
import os
import platform
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import psutil
import pytest
from cases import hostile_entries

from jobs_kit.grading.batch.out_folder import file_name
from jobs_kit.grading.sandbox import containment

pytestmark = pytest.mark.slow  # all of them wait for one run over the class
ENTRIES = hostile_entries()
HONEST = ENTRIES["deletes_its_own_files"]["code"].replace("os.remove('echo.py')\n", "")
NEIGHBOURS = 5
NO_TEXTS = {
    "not_utf8": b"# \xe9t\xe9\nprint(1)\n",
    "utf16": HONEST.encode("utf-16"),
    "utf16_without_its_mark": HONEST.encode("utf-16-le"),
}
OF_THE_RUN = {}  # the folders that it used


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Grade all of them, honest ones in between; return the folder OUT."""
    try:
        containment.require()
    except containment.NotContainedError as problem:
        pytest.skip(f"this system cannot contain student code: {problem}")
    place, out = tmp_path_factory.mktemp("class"), tmp_path_factory.mktemp("out")
    for name, case in ENTRIES.items():
        write(place, name, case["code"])
    for number in range(NEIGHBOURS):
        write(place, f"{'afkpz'[number]}_honest", HONEST)
    write_unusual(place)
    keep_a_key()
    mine = tmp_path_factory.mktemp("t")  # a separate folder for the files that the judges write
    command = [sys.executable, "-m", "jobs_kit.cli", "grade", place, "--out", out]
    done = subprocess.run(
        [*command, "--exercise", "echo_worker"],
        env=os.environ | {"TMPDIR": str(mine)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    OF_THE_RUN.update(tmp=mine, place=place)
    return out


def keep_a_key():
    """Have Linux keep a secret for this process and its children, as for a login."""
    containment.leave_keys()  # what is there already is no business of ours
    if add := {"x86_64": 248, "aarch64": 217}.get(platform.machine()):
        key = b"user", b"jobs-kit-test", b"hush", 4
        ctypes.CDLL(None).syscall(add, *key, -3)  # of the session


def write(place, name, text):
    folder = place / name / "echo_worker"
    folder.mkdir(parents=True)
    (folder / "echo.py").write_text(text, "utf-8")


def write_unusual(place):
    """Write the submissions that a text can't hold: none of them contains anything to judge."""
    secret = place.parent / "secret.txt"
    secret.write_text("hush")
    for name in ("link_to_a_secret", "link_to_a_folder", "named_pipe", "huge_file", *NO_TEXTS):
        (place / name / "echo_worker").mkdir(parents=True)
    (place / "link_to_a_secret" / "echo_worker" / "echo.py").symlink_to(secret)
    (place / "link_to_a_folder" / "more").symlink_to(place / "a_honest")
    os.mkfifo(place / "named_pipe" / "echo_worker" / "echo.py")
    for name, data in NO_TEXTS.items():
        (place / name / "echo_worker" / "echo.py").write_bytes(data)
    (place / "huge_file" / "echo_worker" / "echo.py").write_bytes(b"#" * (200 << 20))
    (place / "zip_bomb").mkdir()
    with zipfile.ZipFile(place / "zip_bomb" / "w.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("echo_worker/echo.py", b"#" * (300 << 20))
    (place / "zip_that_leads_out").mkdir()
    with zipfile.ZipFile(place / "zip_that_leads_out" / "w.zip", "w") as packed:
        packed.writestr("../../a_honest/echo_worker/echo.py", "print('overwritten')")
        packed.writestr("/tmp/echo_worker/echo.py", "print('overwritten')")
    write_what_no_folder_can_hold(place)
    deep = place / "deep_folders"
    for _ in range(60):
        deep = deep / "d"
    deep.mkdir(parents=True)


def write_what_no_folder_can_hold(place):
    """Write zip files and notebooks with broken bytes, and with names that no file can have."""
    for name in ("broken_zip", "names_in_a_zip", "names_in_a_notebook", "zip_of_zips"):
        (place / name).mkdir()
    packed = place / "broken_zip" / "w.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("echo_worker/echo.py", b"print(1)\n" * 1000)
    packed.write_bytes(packed.read_bytes()[:50] + b"\xff" * 20 + packed.read_bytes()[70:])
    with zipfile.ZipFile(place / "names_in_a_zip" / "w.zip", "w") as file:
        for name in (
            ".",
            "x" * 5000,
            "d/" * 3000 + "x",
            "echo.py.d",
            "echo.py.d/x",
            "\x1b[2J\u202e",
        ):
            file.writestr(f"echo_worker/{name}", "x")
        file.writestr(".", "x")
    cells = [
        f"%%writefile {name}\nx = '\ud800'" for name in ("..", "''", "a\0b", "\ud800", "x" * 300)
    ]
    cells = [{"cell_type": "code", "source": source} for source in cells]
    for name, made in (("echo_worker", cells), ("two", [7])):
        notebook = json.dumps({"cells": made})
        (place / "names_in_a_notebook" / f"{name}.ipynb").write_text(notebook)
    for number in range(30):
        packed = place / "zip_of_zips" / f"{number}.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("more/x.txt", b"#" * (3 << 20))
    os.mkdir(os.fsencode(place) + b"/not_utf8_\xff\n\x1b]0;x\x07")


def result(out, name):
    return json.loads((out / "results" / f"{name}.json").read_text())["exercises"][0]


@pytest.mark.parametrize("name", ENTRIES)
def test_it_gets_what_it_deserves(graded, name):
    found, wanted = result(graded, name), ENTRIES[name]["outcome"]
    wanted = wanted if isinstance(wanted, list) else [wanted]
    assert found["outcome"] in wanted, json.dumps(found, indent=1)
    assert (found["points"] == found["max_points"]) == (found["outcome"] == "pass")
    assert ENTRIES[name].get("says", "") in json.dumps(found)


@pytest.mark.parametrize(
    "name",
    [
        "link_to_a_secret",
        "link_to_a_folder",
        "named_pipe",
        "zip_that_leads_out",
        "deep_folders",
        "broken_zip",
        "zip_of_zips",
        file_name("not_utf8_\\xdcff \\x1b]0;x\\x07"),
    ],
)
def test_what_is_no_answer_is_not_attempted(graded, name):
    assert result(graded, name)["outcome"] == "not attempted"


@pytest.mark.parametrize("name", ["huge_file", "zip_bomb"])
def test_a_program_that_is_too_large_is_a_failure_that_says_so(graded, name):
    found = result(graded, name)
    assert found["outcome"] == "fail" and "too large" in json.dumps(found)


@pytest.mark.parametrize("name", ["names_in_a_zip", "names_in_a_notebook"])
def test_a_name_that_no_file_can_have_is_reported(graded, name):
    remarks = json.loads((graded / "results" / f"{name}.json").read_text())["remarks"]
    assert sum("cannot be the name of a file" in remark for remark in remarks) >= 3, remarks


def test_no_report_holds_a_code_of_the_terminal(graded):
    for path in graded.rglob("*.*"):
        text = path.read_text("utf-8")
        assert not any(code in text for code in "\x00\x07\x1b\u202e"), path


@pytest.mark.parametrize("name", NO_TEXTS)
def test_bytes_that_are_no_text_are_a_failure_that_says_so(graded, name):
    found = result(graded, name)
    assert found["outcome"] == "fail" and "UTF-8" in json.dumps(found)


def test_the_neighbours_notice_nothing(graded):
    with open(graded / "grades.csv", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    honest = [row for name, row in rows.items() if name.endswith("_honest")]
    assert len(honest) == NEIGHBOURS
    assert all(row["echo_worker"] == row["max"] for row in honest)


def test_no_secret_is_in_any_report(graded):
    for path in graded.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8", errors="replace")
            assert "hush" not in text
            assert "def test_it_prints_each_message" not in text
            assert "<script>alert" not in text or path.suffix != ".html"


def test_nothing_runs_on(graded):
    deadline = time.monotonic() + 20
    while left := [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if str(OF_THE_RUN["tmp"]) in f"{process.info['cmdline']}{process.info['environ']}"
    ]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_no_stray_files_are_left(graded):
    assert not Path("/tmp/pickle-was-run").exists()
    assert os.listdir(OF_THE_RUN["tmp"]) == []
    text = (OF_THE_RUN["place"] / "a_honest" / "echo_worker" / "echo.py").read_text()
    assert text == HONEST
