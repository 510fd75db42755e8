"""Set up a student's course folder from the files that come with the kit.

Nothing is ever overwritten, so a newer kit adds what is new and keeps what a student has.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from jobs_kit.course import starters
from jobs_kit.course.places import FIRST, KIT, MATERIAL, course_around

STUDENTS_README = Path(__file__).with_name("students_readme.md")
NOT_FOR_STUDENTS = {"checks", "scratch", "__pycache__"}  # folders in notebooks/
MOST_NAMES = 5  # that a message lists


@dataclass(frozen=True)
class CourseSetup:
    """What set_up_course() did: the folder, the files written, and the files kept that differ."""

    folder: Path
    written: list
    kept: list

    def __str__(self):
        lines = [f"The course is in {self.folder}."]
        if self.written:
            lines.append(f"Written: {_listed(self.written)}.")
        if self.kept:
            lines.append(f"Kept, though the kit's own differ: {_listed(self.kept)}.")
        return "\n".join(lines)


def set_up_course(folder):
    """Write what a course folder lacks; return a CourseSetup.

    folder: a path; it is made if it is missing. Raises ValueError inside another course folder, and
    OSError if a file cannot be written.
    """
    folder, written, kept = Path(folder).resolve(), [], []
    if (around := course_around(folder)) not in (None, folder):
        raise ValueError(
            f"{folder} would be inside the course folder {around}: run `jobs-kit start` without a "
            "name there, or choose another place"
        )
    for name, data in course_files().items():
        path = folder / name
        if not os.path.lexists(path):
            _write(path, data)
            written.append(name)
        elif not path.is_file() or path.read_bytes() != data:
            kept.append(name)
    return CourseSetup(folder, written, kept)


def course_files():
    """Return {path in a course folder: its bytes}; what shows that it is one comes last."""
    files = {"README.md": STUDENTS_README.read_bytes()}
    files |= {f"exercises/{name}": data for name, data in starters.all_starters().items()}
    # the service is for reading: without an __init__.py, its folder does not hide the package
    service = [path for path in KIT.glob("*.*") if path.name != "__init__.py"]
    lessons = [path for path in (MATERIAL / "notebooks").rglob("*") if _is_for_students(path)]
    for root, paths in ((KIT.parent, service), (MATERIAL, lessons)):
        files |= {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(paths)}
    return files | {FIRST: files.pop(FIRST)}


def _is_for_students(path):
    parts = path.relative_to(MATERIAL).parts
    is_hidden = any(part.startswith(".") for part in parts)
    return path.is_file() and not is_hidden and not NOT_FOR_STUDENTS & set(parts)


def _write(path, data):
    """Write a new file, as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(data)
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def _listed(names):
    return ", ".join(names) if len(names) <= MOST_NAMES else f"{len(names)} files"
