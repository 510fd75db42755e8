"""Build what is released, an sdist and a wheel, and try the wheel as a student and an instructor do.

    python -m jobs_kit.publish.release dist

The wheel is built from the sdist, so both are complete. It is installed into a new environment, and used
there with an empty home, far from this clone. The first thing that does not work ends the program
with exit code 1.
"""

import argparse
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import venv
from itertools import takewhile
from pathlib import Path

from jobs_kit.course import starters
from jobs_kit.course.check_files import exercise_points
from jobs_kit.course.exercise import all_exercises, earlier
from jobs_kit.course.places import FIRST, MATERIAL

TEST_TOOLS = ("hypothesis", "nbval", "playwright", "ruff", "schemathesis")  # a student needs none
COPYING = """
import sysconfig
print(open(sysconfig.get_path("purelib") + "/jobs_kit/{path}").read())
"""


class ReleaseError(Exception):
    """Something of the release does not work; the message says what."""


def build(out):
    """Build sdist and wheel into a folder; return their paths."""
    for old in out.glob("jobs_kit-*"):
        old.unlink()
    run_hatchling("sdist", out, MATERIAL)
    [sdist] = out.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as place, tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
        run_hatchling("wheel", out, Path(place, sdist.name.removesuffix(".tar.gz")))
    return sdist, next(out.glob("*.whl"))


def run_hatchling(target, out, source):
    """Build one target of a source folder."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", out]
    subprocess.run(command, cwd=source, check=True, stdout=subprocess.DEVNULL)


class Trial:
    """A wheel in a new environment, used in a new folder with an empty home."""

    def __init__(self, wheel, place):
        self.programs, self.folder = place / "venv" / "bin", place / "work"
        self.course = self.folder / "my-course"
        (place / "home").mkdir()
        self.folder.mkdir()
        kept = {name: os.environ[name] for name in ("LANG", "SSL_CERT_FILE") if name in os.environ}
        path = f"{self.programs}:/usr/local/bin:/usr/bin:/bin"
        self.environment = {"HOME": str(place / "home"), "PATH": path, **kept}
        venv.create(place / "venv", with_pip=True)
        subprocess.run([self.programs / "pip", "install", "--quiet", wheel], check=True)

    def expect(self, code, words, text, folder=None):
        """Run a command; raise ReleaseError unless it ends with this code and prints this text."""
        print(" ", " ".join(words), flush=True)
        done = subprocess.run(
            words,
            cwd=folder or self.course,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != code or text not in done.stdout:
            raise ReleaseError(
                f"`{' '.join(words)}` ended with {done.returncode} and not with {code}, or did not "
                f"print {text!r}:\n{done.stdout}"
            )

    def write(self, folder, exercise, files):
        """Write the files of an answer to an exercise into a folder of answers."""
        place = folder / exercise.folder
        place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8")

    def find_test_tools(self):
        """Raise ReleaseError if a student's environment has tools that only tests need."""
        listed = subprocess.check_output([self.programs / "pip", "list"], text=True).lower()
        if tools := [name for name in TEST_TOOLS if f"\n{name} " in listed]:
            raise ReleaseError(f"a student's environment has {', '.join(tools)}")

    def start(self):
        """Set up the course; raise ReleaseError unless JupyterLab serves its first lesson."""
        command = ["jobs-kit", "start", "my-course", "--no-browser"]
        print(" ", " ".join(command), flush=True)
        options = {"cwd": self.folder, "env": self.environment, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **options) as process:
            lines = list(takewhile(lambda line: "Ctrl-C" not in line, process.stdout))
            url = next((word for word in "".join(lines).split() if "/lab/tree/" in word), None)
            is_served = url and urllib.request.urlopen(url, timeout=60).status == 200
            process.send_signal(signal.SIGINT)
        if not is_served or process.returncode:
            raise ReleaseError(f"JupyterLab did not serve the first lesson: {''.join(lines)}")


def try_out(trial):
    """Use a Trial as a student and an instructor do. Raises ReleaseError."""
    exercises = [exercise for exercise in all_exercises().values() if exercise.is_graded]
    first, later = exercises[0], next(one for one in exercises if earlier(one))
    check = ["jobs-kit", "check", first.id]
    trial.find_test_tools()
    trial.expect(1, check, "there is no course here", trial.folder)
    trial.start()
    trial.expect(0, ["jobs-kit", "run", "jupyter", "execute", FIRST], "")
    trial.write(trial.course / "exercises", first, solution(first))
    trial.expect(0, check, "pass")
    trial.write(trial.course / "exercises", first, copying(first))
    trial.expect(1, check, "is a file of the kit")
    trial.expect(0, ["jobs-kit", "catch-up", later.id], f"wrote exercises/{later.folder}/")
    trial.write(trial.folder / "submissions" / "ana", first, solution(first))
    trial.write(trial.folder / "submissions" / "ben", first, copying(first))
    grade = ["jobs-kit", "grade", "submissions", "--out", "grades", "--exercise", first.id]
    trial.expect(0, grade, f"ana: {exercise_points(first)} of", trial.folder)
    if '"ben","0",' not in (trial.folder / "grades" / "grades.csv").read_text():
        raise ReleaseError("an answer that copies the solution got points")


def solution(exercise):
    """Return {file name: text} of the solution of an exercise."""
    return starters.stage(exercise.folder, {exercise.id})


def copying(exercise):
    """Return {file name: text} of an answer that reads the solution inside the environment."""
    name = exercise.files[0]
    return {name: COPYING.format(path=f"material/solutions/{exercise.folder}/{name}")}


def main():
    """Build and try; return 0, or 1 if something does not work."""
    parser = argparse.ArgumentParser(description="Build an sdist and a wheel, and try the wheel.")
    parser.add_argument("out", type=Path, help="the folder for both")
    out = parser.parse_args().out.resolve()
    out.mkdir(exist_ok=True)
    try:
        paths = build(out)
        for path in paths:
            print(f"{path.name}: {path.stat().st_size / 1000:,.0f} KB")
        with tempfile.TemporaryDirectory(prefix="jobs-kit-release-") as place:
            try_out(Trial(paths[1], Path(place)))
    except (ReleaseError, OSError, subprocess.SubprocessError) as problem:
        print(f"make release: {problem}", file=sys.stderr)
        return 1
    print("The wheel works in an empty environment.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
