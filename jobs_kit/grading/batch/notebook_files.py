"""Read the files that a notebook writes with %%writefile, or its code as the one file."""

import json
import re
from pathlib import PurePosixPath

from jobs_kit.course.exercise import all_exercises, exercises_in
from jobs_kit.grading.batch.exercise_folders import EXACT, folder_of, folders, handed_out, home_of
from jobs_kit.grading.batch.near_names import likest, stem_of
from jobs_kit.grading.limits import SUBMISSION_FILES

WRITTEN = re.compile(r"\s*%%(?:writefile|file)\s+(-a\s+)?(\S+)\s*\n", re.ASCII)
# not \s, which would look through all empty lines from each of them
OF_THE_PAGE = re.compile(r"^[ \t]*[%!]|jobs_kit|^[ \t]*(check|hint|solution)\(", re.MULTILINE)


def files_in_notebook(path, data, known, hand_in):
    """Return {(folder, file): text} of the files that a notebook writes, or its code as one file."""
    exercise, likeness = exercise_of(path)
    try:
        sources = _code_cells(data)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        MemoryError,
    ) as problem:
        hand_in.remark(f"{path.name} cannot be read as a notebook: {problem!r}")
        return {}
    home = exercise.folder if exercise else None
    if likeness != EXACT:
        home = folder_of(path, known) or home
    writing = [(match, source) for source in sources if (match := WRITTEN.match(source))]
    if len(writing) > SUBMISSION_FILES:
        hand_in.remark(f"{path.name} writes more than {SUBMISSION_FILES} files: the first are read")
    written = _written_files(writing[:SUBMISSION_FILES], home, known)
    if not written and exercise and len(exercise.files) == 1:
        page = handed_out(exercise.folder, f"{exercise.id}.ipynb")
        of_the_page = _code_cells(page) if page else []
        own = [one for one in sources if not OF_THE_PAGE.search(one) and one not in of_the_page]
        code = "\n\n".join(own)
        if code.strip():
            written[exercise.folder, exercise.files[0]] = code
    return written


def _code_cells(notebook):
    """Return the sources of the code cells of a notebook, given as bytes."""
    cells = json.loads(notebook)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell.get("cell_type") == "code"]


def exercise_of(path):
    """Return (Exercise, how much its id is like the name of a notebook), or (None, 0)."""
    exercises, stem = all_exercises(), stem_of(path.name)
    if path.name == f"{stem}.ipynb" and stem in exercises:
        return exercises[stem], EXACT
    names = exercises | {stem_of(one.files[0]): one for one in map(_alone, folders()) if one}
    name, likeness = likest(stem, names)
    return names.get(name), likeness


def _alone(folder):
    """Return the Exercise of a folder with one file: echo.ipynb can only be echo_worker's."""
    exercises = exercises_in(folder)
    return exercises[0] if len(exercises) == 1 and len(exercises[0].files) == 1 else None


def _written_files(writing, home, known):
    """Return {(folder, file): text} of cells that write files.

    writing: [(match of WRITTEN, text of the cell), ...]. home: the folder of a file that names none.
    """
    written = {}
    for match, source in writing:
        name = PurePosixPath(match[2].strip("'\"")).name
        folder = folder_of(PurePosixPath(match[2]), known) or home or home_of(name)
        before = written.get((folder, name), "") if match[1] else ""
        written[folder, name] = before + source[match.end() :].rstrip("\n") + "\n"
    return written
