"""What did each student hand in, and where does it belong?

    SUBMISSIONS/ana/jobs_service/api.py …      folders as in exercises/
    SUBMISSIONS/ben/api.py …                   all files flat
    SUBMISSIONS/cem/final version/echo.py      one folder more than asked for
    SUBMISSIONS/dia/work.zip, SUBMISSIONS/eli.zip
    SUBMISSIONS/fay/echo_worker.ipynb          a notebook alone: its %%writefile cells, or its code

Files are copied, never run and never followed out of the folder. What cannot be read is said.
"""

import contextlib
import json
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from jobs_kit.grading.answer import LARGEST, regular_files
from jobs_kit.grading.evidence import text
from jobs_kit.grading.exercise import all_exercises
from jobs_kit.lab.watch import sightings
from jobs_kit.lab.watch.history import ENOUGH

MOST_FILES = 300  # of one student
MOST_BYTES = 20 << 20
MOST_REMARKS = 20
NEVER = re.compile(r"__pycache__|__MACOSX|\.git|\.ipynb_checkpoints|\.venv|.*\.pyc")
WRITTEN = re.compile(r"\s*%%(?:writefile|file)\s+(?:-a\s+)?(\S+)\s*\n", re.ASCII)
OF_THE_PAGE = re.compile(r"^\s*[%!]|jobs_kit|^\s*(check|hint|solution)\(", re.MULTILINE)
OTHERS = {"find_the_bugs"}  # folders whose files bear the names of another folder's


@dataclass
class Submission:
    """What one student handed in.

    files: {(exercise folder, file name): bytes}. remarks: what was left out, and why. newest: when
    the latest file was saved, in seconds since 1970. room: how many bytes may still be read.
    """

    student: str
    files: dict = field(default_factory=dict)
    remarks: list = field(default_factory=list)
    newest: float = 0
    room: int = MOST_BYTES

    def remark(self, said):
        """Say what was left out: a line that can be shown anywhere, and only so many."""
        if len(self.remarks) < MOST_REMARKS:
            self.remarks.append(one_line(said)[:200])

    def write(self, place):
        """Write the files into place/<exercise folder>/…, a folder for each exercise."""
        for folder in folders():
            (place / folder).mkdir(parents=True, exist_ok=True)
        for (folder, name), data in self.files.items():
            path = place / folder / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            except (OSError, ValueError):  # a zip file may hold any name, and any two of them
                self.remark(f"{name[:60]!r} cannot be the name of a file here; left out")


def folders():
    """Return {exercise folder: names of the files that belong there}."""
    found = {}
    for exercise in all_exercises().values():
        found.setdefault(exercise.folder, set()).update(exercise.files)
    return found


def students(place):
    """Return {name: path} of the students in a folder: its folders, and its zip files.

    A folder that is itself somebody's hand-in counts as one student, named as the folder.
    """
    place = Path(place).resolve()
    if not place.is_dir():
        raise NotADirectoryError(f"{place} is no folder of submissions")
    names = {path.name for path in place.iterdir()}
    if names & set(folders()) or names & set().union(*folders().values()):
        return {place.name: place}
    found = {}
    for path in sorted(place.iterdir()):
        if path.name.startswith((".", "__MACOSX")) or path.is_symlink():
            continue
        if path.is_dir() or path.suffix.lower() == ".zip":
            name = one_line(path.name if path.is_dir() else path.stem)
            while name in found:
                name += " (zip)"
            found[name] = path
    return found


def one_line(said):
    """Return a text as one line that can be stored and shown, whatever bytes it was made of."""
    return text(str(said).replace("\n", " "))


def read(student, path):
    """Return the Submission of a student, from a folder or a zip file.

    What cannot be read costs that student what it holds, and nobody else anything.
    """
    submission, raw = Submission(student), {}
    try:
        (_from_zip if path.is_file() else _from_folder)(path, submission, raw)
        _sort(raw, submission)
    except Exception as problem:  # there is no end to what files may hold; the others must go on
        submission.remark(f"{path.name} cannot be read: {problem}")
    return submission


def _from_folder(place, submission, found):
    """Add {path inside the folder: bytes} of the files to found, zip files opened."""
    for path in regular_files(place, left_out=NEVER, depth=6):
        name, told = path.relative_to(place).as_posix(), path.stat()
        submission.newest = max(submission.newest, told.st_mtime)
        if len(found) >= MOST_FILES:
            submission.remark(f"more than {MOST_FILES} files: {name} and more left out")
            return
        if path.suffix.lower() == ".zip":
            _from_zip(path, submission, found, f"{path.stem}/")
        elif told.st_size > min(LARGEST * 4, submission.room):
            submission.remark(f"{name} is too large ({told.st_size} bytes): left out")
        else:
            try:
                found[name] = path.read_bytes()
            except OSError as problem:
                submission.remark(f"{name} cannot be read: {problem.strerror}")
            submission.room -= told.st_size


def _from_zip(path, submission, found, prefix=""):
    """Add {path inside: bytes} of a zip file to found; nothing too large, nothing outside of it."""
    submission.newest = max(submission.newest, path.stat().st_mtime)
    try:
        with zipfile.ZipFile(path) as packed:
            for entry in packed.infolist():
                name = PurePosixPath(entry.filename.replace("\\", "/"))
                if entry.is_dir() or any(map(NEVER.fullmatch, name.parts)):
                    continue
                if len(found) >= MOST_FILES:
                    submission.remark(f"{path.name}: more than {MOST_FILES} files: {name} left out")
                    return
                if name.is_absolute() or ".." in name.parts or ":" in str(name).partition("/")[0]:
                    submission.remark(f"{path.name}: {name} leads out of it; left out")
                    continue
                most = min(submission.room, LARGEST * 4)
                with packed.open(entry) as file:
                    data = file.read(most + 1)  # what it says of its size may lie
                submission.room -= min(len(data), most)  # to unpack in vain takes time, too
                if len(data) > most:
                    submission.remark(f"{path.name}: {name} is too large; left out")
                    continue
                found[f"{prefix}{name}"] = data
    except Exception as problem:  # whatever zipfile and its unpackers make of broken bytes
        submission.remark(f"{path.name} is no zip file that can be read: {problem}")


def _sort(raw, submission):
    """Put each file where it belongs: by its folder if it has one, else by its name."""
    known = folders()
    notebooks = {}
    for name, data in sorted(raw.items(), key=lambda one: one[0].count("/")):
        path = PurePosixPath(name)
        folder = next((part for part in reversed(path.parts[:-1]) if part in known), None)
        if path.suffix == ".ipynb":
            notebooks[path] = data
        elif folder:
            inner = path.parts[len(path.parts) - path.parts[::-1].index(folder) :]
            submission.files.setdefault((folder, "/".join(inner)), data)
        elif path.suffix == ".py" or path.name.startswith("."):
            for home in _homes(path.name, known):
                submission.files.setdefault((home, path.name), data)
    for path, data in notebooks.items():
        for (folder, file), code in _from_notebook(path, data, known, submission).items():
            submission.files.setdefault((folder, file), code.encode(errors="replace"))


def _homes(name, known):
    if name.startswith(".evidence"):
        return ["two_shells"]
    homes = [folder for folder, files in known.items() if name in files and folder not in OTHERS]
    return homes or ["jobs_service"]  # a fourth module of the project, perhaps


def _from_notebook(path, data, known, submission):
    """Return {(folder, file): text} of what a notebook writes, or of its code as the one file."""
    ids = {exercise.id: exercise for exercise in all_exercises().values()}
    exercise = ids.get(re.sub(r"[ (\d)]+$|-Copy\d*$", "", path.stem))
    folder = next((part for part in reversed(path.parts[:-1]) if part in known), None)
    try:
        cells = json.loads(data)["cells"]
        sources = ["".join(c["source"]) for c in cells if c.get("cell_type") == "code"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        submission.remark(f"{path.name} is no notebook that can be read: {problem!r}")
        return {}
    written = {}
    for source in sources:
        if found := WRITTEN.match(source):
            name = PurePosixPath(found[1].strip("'\"")).name
            home = folder or (exercise.folder if exercise else _homes(name, known)[0])
            written[home, name] = source[found.end() :]
    if not written and exercise and len(exercise.files) == 1:
        code = "\n\n".join(source for source in sources if not OF_THE_PAGE.search(source))
        if code.strip():
            written[exercise.folder, exercise.files[0]] = code
    return written


def evidence_of_two_shells(submission):
    """Tell whether a watch has recorded two_shells: messages waited, and were taken in order."""
    recorded = submission.files.get(("two_shells", sightings.EVIDENCE), b"")
    with contextlib.suppress(ValueError, TypeError, AttributeError, KeyError, RecursionError):
        queues = [queue for watch in json.loads(recorded)["watches"] for queue in watch["queues"]]
        return any(
            queue["most"] >= ENOUGH and queue["all_taken"] and queue["in_order"] for queue in queues
        )
    return False
