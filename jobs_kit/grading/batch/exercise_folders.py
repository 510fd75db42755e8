"""Name the exercise folders, and find the one that a file belongs to."""

from jobs_kit.course.exercise import all_exercises, folder_of_file, shell_exercise


def folders():
    """Return {exercise folder: names of the files that belong there}."""
    names = {}
    for exercise in all_exercises().values():
        names.setdefault(exercise.folder, set()).update(exercise.files)
    return names


def folder_of(path, known):
    """Return the exercise folder in a path, or None. known: see folders()."""
    return next((part for part in reversed(path.parts[:-1]) if part in known), None)


def home_of(name):
    """Return the exercise folder of a file that was handed in without one."""
    if name.startswith(".evidence"):
        return shell_exercise().folder
    return folder_of_file(name)
