"""Is everything here that the lessons need? One line each, and how to mend what is not."""

import html
import importlib.metadata
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from jobs_kit import settings
from jobs_kit.lab import server

INSTALL = "run `make lab` again: it installs what is missing"


@dataclass
class Finding:
    """One thing that was looked at. ok: good enough; mend: what to do if not."""

    ok: bool
    what: str
    mend: str = ""

    def __str__(self):
        return f"ok    {self.what}" if self.ok else f"MEND  {self.what}: {self.mend}"


class Findings(list):
    """All findings: one line each as text and in a notebook. ok: nothing has to be mended."""

    @property
    def ok(self):
        return all(finding.ok for finding in self)

    def __repr__(self):
        return "\n".join(map(str, self))

    def _repr_html_(self):
        return f"<pre>{html.escape(repr(self))}</pre>"


def examine():
    """Look at Python, Redis, packages, the API's port and the widgets; return Findings."""
    looks = (look_at_python, look_at_redis, look_at_packages, look_at_port, look_at_widgets)
    return Findings(look() for look in looks)


def look_at_python():
    """Is this a Python that the kit is tested with?"""
    version = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding(good, f"Python {version}", "install Python 3.11, 3.12 or 3.13, then `make lab`")


def look_at_redis():
    """Is there a Redis, named, running or ready to be started?"""
    try:
        found = server.find_redis()
        return Finding(True, f"Redis: {found}")
    except (server.RedisNotFound, ValueError) as problem:
        return Finding(False, "Redis", str(problem))


def look_at_packages():
    """Are all packages here, in versions that the kit was made for?"""
    wanted = map(Requirement, importlib.metadata.requires("jobs-kit") or [])
    wanted = [each for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    wrong = [fault for each in wanted if (fault := _fault(each))]
    return Finding(not wrong, f"{len(wanted)} packages", f"{'; '.join(wrong)}: {INSTALL}")


def look_at_port():
    """Is the port of the API free?"""
    port = settings.api_port()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken = listener.connect_ex(("127.0.0.1", port)) == 0
    mend = f"something listens there: end it, or `jobs-kit api --port {port + 1}`"
    return Finding(not taken, f"port {port} for the API", mend)


def look_at_widgets():
    """Does JupyterLab have the front ends of the widgets?"""
    folder = Path(sys.prefix, "share", "jupyter", "labextensions")
    names = ("@jupyter-widgets/jupyterlab-manager", "anywidget")
    missing = [name for name in names if not (folder / name / "package.json").exists()]
    return Finding(not missing, "widgets", f"JupyterLab lacks {', '.join(missing)}: {INSTALL}")


def _fault(requirement):
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(version, prereleases=True):
        return ""
    return (
        f"{requirement.name} is {version}, wanted {re.sub(',', ', ', str(requirement.specifier))}"
    )
