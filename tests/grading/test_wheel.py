"""The kit as students install it: a course without a clone, whose solutions no answer can read."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from batch_runs import contained
from test_repository import files

ROOT = Path(__file__).parents[2]

# Each way ends with the text of a file; what gets through is printed.
THIEF = """
import ctypes, importlib.metadata, importlib.util, os, pkgutil, subprocess, sysconfig
kit = os.path.join(sysconfig.get_path("purelib"), "jobs_kit")
files = {"solution": "solutions/echo_worker/echo.py"}
files["check"] = "exercises/echo_worker/test_echo_worker.py"

def cat(path):
    return subprocess.check_output(["cat", path], stderr=subprocess.DEVNULL)

def by_link(make, name):
    make(path, name)
    return cat(name)

def by_c():
    libc, buffer = ctypes.CDLL(None), ctypes.create_string_buffer(100000)
    libc.read(libc.open(path.encode(), 0), buffer, 100000)
    return buffer.value

for kind, name in files.items():
    path = f"{kit}/material/{name}"
    ways = {
        "open": lambda: open(path, "rb").read(),
        "cat": lambda: cat(path),
        "C": by_c,
        "a symbolic link": lambda: by_link(os.symlink, "a" + kind),
        "a hard link": lambda: by_link(os.link, "b" + kind),
        "pkgutil": lambda: pkgutil.get_data("jobs_kit", "material/" + name),
        "a loader": lambda: importlib.util.spec_from_file_location("x", path).loader.get_data(path),
        "lib64": lambda: cat(path.replace("/lib/", "/lib64/")),
        "metadata": lambda: importlib.metadata.distribution("jobs-kit").locate_file(path).read_bytes(),
        "/proc": lambda: cat("/proc/self/root" + path),
        "its parent": lambda: cat(f"/proc/{os.getppid()}/root{path}"),
    }
    for way, read in ways.items():
        try:
            text = read().decode()
        except BaseException:
            continue
        if text:
            print(kind, "by", way)
print("done")
"""

SANDBOXED = """
import sys, tempfile, time
from jobs_kit.grading.sandbox.client import Sandbox
is_contained = sys.argv[1] == "contained"
with tempfile.TemporaryDirectory() as shared, Sandbox(is_contained, shared) as sandbox:
    folder = sandbox.home + "/answer"
    sandbox.write(folder, {"echo.py": sys.argv[2].encode()})
    process = sandbox.start({"do": "program", "file": "echo.py"}, folder, "none")
    while process.running:
        process.pump()
        time.sleep(0.01)
    print(process.output)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The path of the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The Python of an environment like this one, in which the kit comes from the wheel."""
    prefix = tmp_path_factory.mktemp("environment") / "venv"
    # links are made in a second; another file system needs copies
    for options in ("-al", "-a"):
        if subprocess.run(["cp", options, sys.prefix, prefix], capture_output=True).returncode == 0:
            break
        shutil.rmtree(prefix, ignore_errors=True)
    packages = prefix / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    for path in packages.glob("*jobs_kit*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    zipfile.ZipFile(wheel).extractall(packages)
    return prefix / "bin" / Path(sys.executable).name


@pytest.fixture
def kit(python, tmp_path, monkeypatch):
    """kit("check", …) runs jobs-kit from the wheel, in an empty home; returns (code, output)."""
    for name in [name for name in os.environ if name.startswith(("REDIS_", "JOBS_KIT_", "PYTHON"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def run(*words):
        command = [python, "-m", "jobs_kit.cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_wheel_carries_the_course_and_no_leftovers(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("jobs_kit", "notebooks", "exercises", "solutions"):
        place = "" if folder == "jobs_kit" else "jobs_kit/material/"
        kit = {f"{place}{path.relative_to(ROOT)}" for path in files(f"{folder}/*")}
        assert kit - set(names) == set()
    leftovers = ("__pycache__", ".ipynb_checkpoints", "/scratch/", ".bak", ".progress", "tests/")
    assert not [name for name in names if any(word in name for word in leftovers)]


def test_a_course_without_a_clone(kit, python, run, tmp_path):
    code, output = kit("check", "echo_worker")
    assert code == 1 and "`jobs-kit start my-course`" in output

    command = [python, "-m", "jobs_kit.cli", "start", "my-course", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as start:
        lines = iter(start.stdout.readline, "")
        assert any("/lab/tree/notebooks/00_start_here.ipynb" in line for line in lines)
        start.send_signal(signal.SIGINT)
    assert start.returncode == 0

    os.chdir("my-course/notebooks")
    answer = tmp_path / "my-course/exercises/echo_worker/echo.py"
    answer.write_text((ROOT / "solutions/echo_worker/echo.py").read_text())
    assert kit("check", "echo_worker")[0] == 0
    answer.write_text("print('wrong')")
    code, output = kit("check", "echo_worker")
    assert code == 1 and "in exercises/echo_worker" in output
    assert kit("catch-up", "execute_job")[0] == 0
    assert (
        "def execute_job" in (tmp_path / "my-course/exercises/jobs_service/worker.py").read_text()
    )


@pytest.mark.parametrize("how", [pytest.param("contained", marks=contained), "uncontained"])
def test_an_answer_reads_neither_solutions_nor_checks(kit, python, how):
    command = [python, "-c", SANDBOXED, how, THIEF]
    assert subprocess.check_output(command, text=True) == "done\n\n"
