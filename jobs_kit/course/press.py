"""`make press`: writes the files that are made from others, so that each thing is written once.

exercises/ is made from the masters in solutions/, files of the kit are copied beside the masters,
and the pages that name other lessons are brought up to date.
"""

import shutil
import subprocess

from jobs_kit.course import lessons, starters
from jobs_kit.course.exercise import all_exercises
from jobs_kit.course.places import EXERCISES, IS_CLONE, MASTERS, MATERIAL


def made_files():
    """Return {path: bytes} of the files that are made as a whole."""
    folders = {exercise.folder for exercise in all_exercises().values()}
    files = {EXERCISES / name: data for name, data in starters.all_starters().items()}
    for folder in folders:
        given = starters.kit_files(folder)
        files |= {MASTERS / folder / name: data for name, data in given.items()}
    return files


def stale_files():
    """Return {path: bytes} of the files that `make press` would write."""
    files = made_files()
    files |= {path: text.encode() for path, text in lessons.refreshed_pages().items()}
    return {p: data for p, data in files.items() if not p.exists() or p.read_bytes() != data}


def write():
    """Write the stale files; return their paths, a list.

    Raises FileExistsError where something would be lost that git does not know, and
    FileNotFoundError outside a clone.
    """
    if not IS_CLONE:
        raise FileNotFoundError(
            "press writes the starters of a clone, and this kit was installed from a wheel: clone its "
            "repository, and run `make press` there"
        )
    stale = stale_files()
    at_risk = stale.keys() & made_files().keys() & _modified_files()
    if at_risk:
        names = "\n".join(f"  {path.relative_to(MATERIAL)}" for path in sorted(at_risk))
        raise FileExistsError(
            f"git calls these modified; commit or `git checkout` them first:\n{names}"
        )
    for path, data in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return list(stale)


def _modified_files():
    """Return the files in which something would be lost: changed or new, and not committed."""
    if not shutil.which("git"):
        return set()
    command = ["git", "-C", str(MATERIAL), "status", "--porcelain", "-z", "--untracked-files=all"]
    listed = subprocess.run(command, capture_output=True, text=True).stdout
    return {MATERIAL / line[3:] for line in listed.split("\0") if line}
