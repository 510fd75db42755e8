"""Read the files that a notebook writes with %%writefile, or its code as the one file."""

import json
import re
from pathlib import PurePosixPath

from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.batch.exercise_folders import folder_of, home_of

WRITTEN = re.compile(r"\s*%%(?:writefile|file)\s+(-a\s+)?(\S+)\s*\n", re.ASCII)
OF_THE_PAGE = re.compile(r"^\s*[%!]|jobs_kit|^\s*(check|hint|solution)\(", re.MULTILINE)


def files_in_notebook(path, data, known, hand_in):
    """Return {(folder, file): text} of the files that a notebook writes, or its code as one file."""
    ids = {exercise.id: exercise for exercise in all_exercises().values()}
    exercise = ids.get(re.sub(r"[ (\d)]+$|-Copy\d*$", "", path.stem))
    try:
        cells = json.loads(data)["cells"]
        sources = ["".join(c["source"]) for c in cells if c.get("cell_type") == "code"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        hand_in.remark(f"{path.name} cannot be read as a notebook: {problem!r}")
        return {}
    home = folder_of(path, known) or (exercise.folder if exercise else None)
    written = _written_files(sources, home, known)
    if not written and exercise and len(exercise.files) == 1:
        code = "\n\n".join(source for source in sources if not OF_THE_PAGE.search(source))
        if code.strip():
            written[exercise.folder, exercise.files[0]] = code
    return written


def _written_files(sources, home, known):
    """Return {(folder, file): text} of the cells that write files.

    sources: the texts of the cells. home: the folder of a file that names none, or None.
    """
    written = {}
    for source in sources:
        if match := WRITTEN.match(source):
            name = PurePosixPath(match[2].strip("'\"")).name
            folder = folder_of(PurePosixPath(match[2]), known) or home or home_of(name)
            before = written.get((folder, name), "") if match[1] else ""
            written[folder, name] = before + source[match.end() :].rstrip("\n") + "\n"
    return written
