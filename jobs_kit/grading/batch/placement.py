"""Sort the files of a hand-in into the exercise folders."""

import re
from pathlib import PurePosixPath

from jobs_kit.grading.batch.exercise_folders import folder_of, folders, home_of
from jobs_kit.grading.batch.notebook_files import files_in_notebook

RENAMED = re.compile(r"(.+?) ?(?:-|\(|-Copy)(\d+)\)?\.py", re.ASCII)


def place_files(raw, hand_in):
    """Add each file to a HandIn where it belongs: by its folder if it has one, else by its name.

    raw: {path inside the hand-in: bytes}.
    """
    known, notebooks = folders(), {}
    for name, data in sorted(raw.items(), key=lambda item: item[0].count("/")):
        path = PurePosixPath(name)
        if path.suffix == ".ipynb":
            notebooks[path] = data
        elif key := _key(path, known):
            first = hand_in.files.setdefault(key, data)
            if first != data:
                hand_in.remark(
                    f"{name} is left out: the submission has another, different {'/'.join(key)}"
                )
    _restore_names(hand_in, known)
    for path, data in notebooks.items():
        for key, code in files_in_notebook(path, data, known, hand_in).items():
            hand_in.files.setdefault(key, code.encode(errors="replace"))


def _key(path, known):
    """Return (exercise folder, file name) of a file that is no notebook, or None."""
    if folder := folder_of(path, known):
        inner = path.parts[len(path.parts) - path.parts[::-1].index(folder) :]
        return folder, "/".join(inner)
    if path.suffix == ".py" or path.name.startswith("."):
        return home_of(path.name), path.name
    return None


def _restore_names(hand_in, known):
    """Take jobs-1.py and "jobs (1).py" for jobs.py where there is none: downloads get such names."""
    renamed = [(RENAMED.fullmatch(key[1]), key) for key in hand_in.files]
    renamed = [(int(match[2][:9]), f"{match[1]}.py", key) for match, key in renamed if match]
    for _, name, key in sorted(renamed, reverse=True):  # the highest number is the latest
        home = key[0] if name in known[key[0]] else home_of(name)
        if name in known[home] and (home, name) not in hand_in.files:
            hand_in.files[home, name] = hand_in.files[key]
            hand_in.remark(f"{key[1]} is graded as {name}, which is missing")
