"""Name the exercise folders, and find the one that a file belongs to."""

import functools

from jobs_kit.course.exercise import all_exercises, folder_of_file, shell_exercise
from jobs_kit.course.starters import all_starters
from jobs_kit.grading.batch.near_names import SAME, likest

EXACT = SAME + 1  # the name itself, more than a name that is like it


def folders():
    """Return {exercise folder: names of the files that belong there}."""
    names = {}
    for exercise in all_exercises().values():
        names.setdefault(exercise.folder, set()).update(exercise.files)
    return names


def folder_in(path, known):
    """Return (exercise folder, its depth in a path, how much the path's part is like its name).

    path: of a file. known: see folders(). Without such a folder it is (None, 0, 0).
    """
    parts = list(enumerate(path.parts[:-1], start=1))[::-1]
    for depth, part in parts:
        if part in known:
            return part, depth, EXACT
    for depth, part in parts:
        folder, likeness = likest(part, known)
        if folder and _can_hold(folder, path.parts[depth:], known):
            return folder, depth, likeness
    return None, 0, 0


def _can_hold(folder, inner, known):
    """Tell whether a file may belong to a folder. A file of another exercise does not."""
    return inner[0] in known[folder] or not any(inner[-1] in names for names in known.values())


def folder_of(path, known):
    """Return the exercise folder in a path, or None. known: see folders()."""
    return folder_in(path, known)[0]


def home_of(name):
    """Return the exercise folder of a file that was submitted without one."""
    if name.startswith(".evidence"):
        return shell_exercise().folder
    return folder_of_file(name)


def handed_out(folder, name):
    """Return the bytes of a file of an exercise folder as students get it, or None.

    The file in exercises/ may have an instructor's answer.
    """
    return _starters().get(f"{folder}/{name}")


@functools.cache
def _starters():
    return all_starters()
