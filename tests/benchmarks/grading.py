"""Measure time and memory of grading a class, beside other graders: `make bench-grade`.

In one run, on one machine: a mixed class (masters, starters, wrong and right answers of the tests)
by `jobs-kit grade` with all exercises; and the same answers to save_and_queue and add_job by
`jobs-kit grade`, by `nbgrader autograde` and by `otter run`, which take them as one notebook.
"""

import argparse
import csv
import functools
import itertools
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "grading"))

from cases import file_cases, write_stage
from notebook_checks import CHECKS

from jobs_kit.course.exercise import all_exercises, find_exercise
from jobs_kit.redis_server.server import find_programs

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BOTH = ("save_and_queue", "add_job")  # what fits into one notebook
MIX = ("master", "wrong", "master", "wrong", "right", "wrong", "starter", "wrong")  # and so on
ADDRESS = '"172.17.0.1", port=6379'  # in jobs.py; the kit's own grader needs no change there
NOTEBOOK = "jobs.ipynb"
LOOK_SECONDS = 0.5  # between two looks at the memory


# Classes


def write_class(place, size):
    """Write submissions of all exercises: masters, starters, wrong and right cases in turn."""
    exercises = [one for one in all_exercises().values() if one.files]
    cases = {kind: itertools.cycle(file_cases(kind)) for kind in ("wrong", "right")}
    for number, kind in zip(range(size), itertools.cycle(MIX), strict=False):
        mine = place / f"{number:03}_{kind}"
        case = next(cases[kind]) if kind in cases else None
        if case:
            case.write(mine)
        for exercise in exercises:  # the first of a folder hands it out
            folder = mine / exercise.folder
            if not folder.exists():
                write_stage(exercise, folder, "blank" if kind == "starter" else "final")


@functools.cache
def answers():
    """Return {kind: [text of jobs.py, ...]} that fit into a notebook and end."""
    found = {"master": [], "starter": [], "wrong": [], "right": []}
    with tempfile.TemporaryDirectory() as place:
        first, last = map(find_exercise, BOTH)
        write_stage(first, Path(place, "blank"), "blank")
        write_stage(last, Path(place, "solved"), "solved")
        found["starter"].append(Path(place, "blank", "jobs.py").read_text())
        found["master"].append(Path(place, "solved", "jobs.py").read_text())
        for kind in ("wrong", "right"):
            for number, case in enumerate(file_cases(kind)):
                several = [path for path in case.folder.glob("*.py") if path.name != "jobs.py"]
                if case.exercise.id not in BOTH or case.outcome == "timeout" or several:
                    continue
                written = case.write(Path(place, f"{kind}{number}"))
                text = (written / "jobs.py").read_text(encoding="utf-8")
                if ADDRESS in text:
                    found[kind].append(text)
    return found


def write_small_class(place, size):
    """Write submissions of jobs.py alone; return {student: its text}."""
    texts = {kind: itertools.cycle(found) for kind, found in answers().items()}
    written = {}
    for number, kind in zip(range(size), itertools.cycle(MIX), strict=False):
        written[f"{number:03}_{kind}"] = next(texts[kind])
    for student, text in written.items():
        path = place / student / "jobs_service" / "jobs.py"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return written


# Measuring


@dataclass
class Measured:
    """The cost of grading a class: seconds, processor seconds, bytes at the most."""

    seconds: float
    processor: float
    memory: int


class Memory(threading.Thread):
    """Looks at what a process and all below it hold; shared pages are counted once."""

    def __init__(self, *pids):
        super().__init__(daemon=True)
        self.pids, self.most, self._over = pids, 0, threading.Event()

    def run(self):
        while not self._over.wait(LOOK_SECONDS):
            self.most = max(self.most, sum(map(_memory, _tree(self.pids))))

    def stop(self):
        self._over.set()
        self.join()
        return self.most


def _tree(pids):
    found = []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            found += [process, *process.children(recursive=True)]
        except psutil.Error:
            continue
    return found


def _memory(process):
    try:
        told = process.memory_full_info()
        return getattr(told, "pss", 0) or told.rss
    except (psutil.Error, OSError):
        return 0


def measured(commands, environment, log, server=None):
    """Run commands one after another; return what all of them and their Redis took."""
    begun, processor, most = time.monotonic(), 0.0, 0
    before = sum(psutil.Process(server).cpu_times()[:2]) if server else 0
    with open(log, "ab") as output:
        for command in commands:
            process = subprocess.Popen(
                command, env=environment, cwd=log.parent, stdout=output, stderr=output
            )
            memory = Memory(process.pid, *([server] if server else []))
            memory.start()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            most = max(most, memory.stop())
            processor += used.ru_utime + used.ru_stime
            if process.returncode:
                end = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{command[:3]} ended with {process.returncode}:\n{end}")
    if server:
        processor += sum(psutil.Process(server).cpu_times()[:2]) - before
    return Measured(time.monotonic() - begun, processor, most)


# Graders


class JobsKit:
    """`jobs-kit grade`, whose student code is contained."""

    def __init__(self, name, exercises, write, jobs):
        self.name, self.write = name, write
        self.options = [word for one in exercises for word in ("--exercise", one)]
        self.options += ["--jobs", str(jobs)] if jobs else []

    def grade(self, place, size):
        """Grade a class; return (Measured, {student: points})."""
        submissions, out = place / "submissions", place / "out"
        self.write(submissions, size)
        command = [sys.executable, "-m", "jobs_kit.cli", "grade", submissions, "--out", out]
        found = measured([[*command, *self.options]], os.environ, place / "log")
        with open(out / "grades.csv", newline="", encoding="utf-8") as file:
            return found, {one["student"]: float(one["total"]) for one in csv.DictReader(file)}


class Peer:
    """A grader of notebooks, from a separate environment, with a Redis that all share."""

    def __init__(self, environment, redis):
        self.bin, self.redis = environment / "bin", redis

    def grade(self, place, size):
        """Grade a class; return (Measured, {student: points})."""
        variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        variables |= {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(place),
            "REDIS_PORT": str(self.redis.port),
            "MPLCONFIGDIR": str(place),
        }
        texts = write_small_class(place / "files", size)
        own = f'"127.0.0.1", port={self.redis.port}'
        texts = {student: text.replace(ADDRESS, own) for student, text in texts.items()}
        self.prepare(place, variables, texts)
        commands = self.commands(place, texts)
        found = measured(commands, variables, place / "log", self.redis.pid)
        return found, self.points(place, variables)

    def run(self, place, variables, *command):
        """Run a step that is not measured."""
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            env=variables,
            cwd=place,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


class Nbgrader(Peer):
    """`nbgrader autograde`: one command for a class."""

    name = "nbgrader 0.9.6"

    def prepare(self, place, variables, texts):
        """Write the course, the assignment and the submissions."""
        (place / "nbgrader_config.py").write_text(
            f"c = get_config()\nc.CourseDirectory.root = {str(place)!r}\n"
        )
        source = place / "source" / "unit"
        source.mkdir(parents=True)
        shutil.copy(HERE / "notebook_checks.py", source)
        nbformat.write(self._assignment(), source / NOTEBOOK)
        self.run(place, variables, "nbgrader", "generate_assignment", "unit", "--create")
        handed_out = nbformat.read(place / "release" / "unit" / NOTEBOOK, 4)
        for student, text in texts.items():
            folder = place / "submitted" / student / "unit"
            folder.mkdir(parents=True)
            handed_out.cells[0].source = text
            nbformat.write(handed_out, folder / NOTEBOOK)

    def _assignment(self):
        cells = [_cell("answer", "### BEGIN SOLUTION\n...\n### END SOLUTION", solution=True)]
        for name in CHECKS:
            test = f"import notebook_checks\nnotebook_checks.{name}(globals())"
            hidden = f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
            cells.append(_cell(name, hidden, grade=True, locked=True, points=1))
        kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
        return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})

    def commands(self, place, texts):
        """Return the commands that grade."""
        return [[self.bin / "nbgrader", "autograde", "unit"]]

    def points(self, place, variables):
        """Return {student: points}."""
        self.run(place, variables, "nbgrader", "export", "--to", "grades.csv")
        with open(place / "grades.csv", newline="") as file:
            return {one["student_id"]: float(one["score"]) for one in csv.DictReader(file)}


class Otter(Peer):
    """`otter run`: one command for a submission; `otter grade` needs Docker."""

    name = "otter-grader 7.0.0"

    def prepare(self, place, variables, texts):
        """Write the checks, pack them, and write the submissions."""
        (place / "tests").mkdir()
        for name in CHECKS:
            (place / "tests" / f"{name}.py").write_text(
                "OK_FORMAT = False\n"
                "from otter.test_files import test_case\n"
                f"name, points = {name!r}, 1\n\n"
                f"@test_case(points=1)\ndef test_it(env):\n"
                f"    import notebook_checks\n    notebook_checks.{name}(env)\n"
            )
        shutil.copy(HERE / "notebook_checks.py", place)
        (place / "otter_config.json").write_text('{"pdf": false}')
        self.run(place, variables, "otter", "generate", "notebook_checks.py")
        kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
        for student, text in texts.items():
            book = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(text)], metadata={"kernelspec": kernel}
            )
            (place / student).mkdir()
            nbformat.write(book, place / student / NOTEBOOK)

    def commands(self, place, texts):
        """Return the commands that grade."""
        command = [self.bin / "otter", "run", "--no-logo", "-a", place / "autograder.zip"]
        return [[*command, "-o", place / one, place / one / NOTEBOOK] for one in texts]

    def points(self, place, variables):
        """Return {student: points}."""
        found = {}
        for path in place.glob("*/results.json"):
            tests = json.loads(path.read_text())["tests"]
            found[path.parent.name] = sum(one.get("score") or 0 for one in tests)
        return found


def _cell(name, source, **told):
    flags = {"schema_version": 3, "grade_id": name, "grade": False, "locked": False}
    flags |= {"solution": False, "task": False} | told
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": flags})


class Redis:
    """A Redis on its own port, for graders that cannot redirect an answer's connections."""

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [next(find_programs()), "--port", str(self.port), "--save", ""]
        command += ["--bind", "127.0.0.1"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.pid = self._process.pid
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        raise RuntimeError("Redis does not start")

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()


# The table


def repeatedly(grader, size, runs, budget):
    """Grade classes of a size so often, or until the time is up; return ([Measured], points)."""
    found, points, begun = [], {}, time.monotonic()
    while len(found) < runs and (not found or time.monotonic() - begun < budget):
        with tempfile.TemporaryDirectory(prefix="jobs-kit-bench-") as place:
            one, points = grader.grade(Path(place), size)
            found.append(one)
    return found, points


def median(found, name):
    return statistics.median(getattr(one, name) for one in found)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 200], help="students")
    parser.add_argument("--peer-sizes", type=int, nargs="*", default=[20], help="for the others")
    parser.add_argument("--runs", type=int, default=5, help="at most so many; the median counts")
    parser.add_argument("--budget", type=float, default=120, help="seconds after which none begins")
    parser.add_argument("--jobs", type=int, help="graders at once of jobs-kit")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-graders", help="where they are")
    options = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; each number is the "
        "median of as many runs as it says"
    )
    head = ("grader", "students", "runs", "a minute", "CPU s each", "peak MB")
    print("{:34}{:>9}{:>6}{:>10}{:>12}{:>9}".format(*head))
    rows, points = {}, {}
    with Redis() as redis:
        every = JobsKit("jobs-kit, all exercises", (), write_class, options.jobs)
        like = JobsKit("jobs-kit, the two exercises", BOTH, write_small_class, options.jobs)
        graders = [(every, options.sizes), (like, sorted({*options.sizes, *options.peer_sizes}))]
        others = [Nbgrader(options.peers, redis), Otter(options.peers, redis)]
        graders += [(one, options.peer_sizes) for one in others]
        for grader, sizes in graders:
            for size in sizes:
                found, points[grader.name, size] = repeatedly(
                    grader, size, options.runs, options.budget
                )
                row = rows[grader.name, size] = Measured(
                    *(median(found, name) for name in ("seconds", "processor", "memory"))
                )
                print(
                    f"{grader.name:34}{size:9}{len(found):6}{60 * size / row.seconds:10.1f}"
                    f"{row.processor / size:12.2f}{row.memory / 1e6:9.0f}",
                    flush=True,
                )
    tell_ratios(rows, like.name, others)
    tell_growth(rows)
    tell_agreement(points, like.name, others)
    print(NOTES.format(len(CHECKS), ", ".join(map(str, options.peer_sizes)) or "none"))


def tell_ratios(rows, ours, others):
    """Say how many times faster and how much more frugal than each of the others."""
    print()
    for other in others:
        for (name, size), row in rows.items():
            if name != other.name:
                continue
            mine = rows[ours, size]
            print(
                f"beside {name}, {size} students, the same two exercises: "
                f"{row.seconds / mine.seconds:.1f} times the rate, "
                f"1/{row.processor / mine.processor:.1f} of the processor time, "
                f"{mine.memory / row.memory:.1f} times the memory"
            )


def tell_growth(rows):
    """Say how rate and memory change from the smallest class to the largest."""
    for name in dict.fromkeys(name for name, _ in rows):
        sizes = sorted(size for other, size in rows if other == name)
        if len(sizes) < 2:
            continue
        few, many = rows[name, sizes[0]], rows[name, sizes[-1]]
        rate = (sizes[-1] / many.seconds) / (sizes[0] / few.seconds)
        print(
            f"{name}, from {sizes[0]} to {sizes[-1]}: the rate times {rate:.2f}, "
            f"the memory times {many.memory / few.memory:.2f}"
        )


def tell_agreement(points, ours, others):
    """Say of how many students the points differ: their answers were the same."""
    for other in others:
        for (name, size), found in points.items():
            if name == other.name:
                mine = points[ours, size]
                same = sum(mine[one] == found.get(one) for one in mine)
                print(f"{name} gives {same} of {size} the same points as jobs-kit")


NOTES = """
Compared: the same answers to save_and_queue and add_job, {} checks of one point. The others take
jobs.py as one notebook, with checks of the same behaviours in hidden cells, and a real Redis at a
port (its address is in the answer and is changed there); jobs-kit takes the file.
Not compared: the other exercises, which need programs, an API or several workers; answers that
never end; containment, which jobs-kit alone has here (`otter grade`, with Docker, is another
grader); feedback pages and reports, which jobs-kit writes within its time and the others do not.
Class sizes of the others: {}. Starting the graders is part of every time."""


if __name__ == "__main__":
    main()
