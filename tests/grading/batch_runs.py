"""Grade small classes with the command; read the points that they get."""

import csv
import subprocess
import sys

import pytest

from jobs_kit.course.check_files import exercise_points
from jobs_kit.course.exercise import find_exercise
from jobs_kit.grading.sandbox import containment

ECHO = """from hotqueue import HotQueue
q = HotQueue("echo")
@q.worker
def echo(item):
    print(item)
"""
RIGHT, WRONG = ECHO + "echo()\n", ECHO  # the wrong one never calls echo()
MOST = exercise_points(find_exercise("echo_worker"))
HUNG = "while True:\n    pass\n"


def obstacle_to_containment():
    """Return "" if this system can contain student code, or else why it cannot."""
    try:
        containment.require()
    except containment.NotContainedError as problem:
        return str(problem)
    return ""


# for a run that need not be contained; root may have no user for it who could read a Python in /root
ANYHOW = ("--uncontained",) if obstacle_to_containment() else ()
contained = pytest.mark.skipif(
    bool(obstacle_to_containment()),
    reason=f"this system cannot contain student code: {obstacle_to_containment()}",
)


def grade(place, out, *options, python=(sys.executable,), **others):
    """Run `jobs-kit grade` on a folder; return (exit code, output). python: how Python starts."""
    command = [*python, "-m", "jobs_kit.cli", "grade", place.folder, "--out", out]
    command += ["--exercise", "echo_worker", "--jobs", "1", *options]  # starting one takes longest
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, **others)
    return done.returncode, done.stdout + done.stderr


def grades(out):
    """Return {student: row of grades.csv}."""
    with open(out / "grades.csv", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def points(out):
    """Return {student: points}."""
    return {student: float(row["echo_worker"]) for student, row in grades(out).items()}
