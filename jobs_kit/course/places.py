"""Find the course: the files that come with the kit, and the folder in which a student works.

In a clone, both are the clone. A wheel carries the kit's files in jobs_kit/material/ (pyproject.toml
names them), and `jobs-kit start FOLDER` sets up a student's folder from there.
"""

from pathlib import Path

KIT = Path(__file__).parents[1]
IS_CLONE = not (KIT / "material").is_dir()
MATERIAL = KIT.parent if IS_CLONE else KIT / "material"
EXERCISES = MATERIAL / "exercises"  # the checks, and what students get
MASTERS = MATERIAL / "solutions"

FIRST = "notebooks/00_start_here.ipynb"  # by which a course folder is known
REPAIR = "run `make lab` in the kit's folder" if IS_CLONE else "install jobs-kit again"


class CourseNotFoundError(FileNotFoundError):
    """The current folder is in no course folder; the message says what to do."""


def course_folder(place=None):
    """Return the folder (Path) in which a student works, with notebooks/ and exercises/.

    It is the course folder around a place (a Path; the current folder if None), or else the clone.
    Raises CourseNotFoundError.
    """
    place = place or Path.cwd()
    if folder := course_around(place) or (IS_CLONE and course_around(MATERIAL)):
        return folder
    below = min(place.glob(f"*/{FIRST}"), default=None)
    advice = "Go to your course folder first; `jobs-kit start my-course` sets up a new one"
    if below:
        advice = f"Go to {below.parents[1]} first, where one is"
    raise CourseNotFoundError(
        f"there is no course here: neither {place} nor a folder above it has {FIRST}. {advice}"
    )


def course_around(place):
    """Return the course folder that a folder (Path) is, or is in; None if there is none."""
    return next((one for one in (place, *place.parents) if (one / FIRST).is_file()), None)
