"""What did each student hand in, and where does it belong?

    SUBMISSIONS/ana/jobs_service/api.py …      folders as in exercises/
    SUBMISSIONS/ben/api.py …                   all files flat
    SUBMISSIONS/cem/final version/echo.py      one folder more than asked for
    SUBMISSIONS/dia/work.zip, SUBMISSIONS/eli.zip
    SUBMISSIONS/fay/echo_worker.ipynb          a notebook alone: its %%writefile cells, or its code
    SUBMISSIONS/gil_4711_12345_api.py          loose files, as Canvas names them, of gil_4711

Files are copied, never run and never followed out of the folder. What cannot be read is said.
"""

import contextlib
import errno
import json
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from jobs_kit.course.exercise import all_exercises, folder_of_file, shell_exercise
from jobs_kit.grading.limits import (
    REMARK_CHARACTERS,
    SOURCE_FILE_BYTES,
    SUBMISSION_BYTES,
    SUBMISSION_FILES,
    SUBMISSION_REMARKS,
)
from jobs_kit.grading.source.files import regular_files
from jobs_kit.queue_watch import evidence_file
from jobs_kit.queue_watch.history import ENOUGH
from jobs_kit.redis_server.text import text

OF_A_NAME = {  # what a system says of a name that no file of it can have
    getattr(errno, f"E{name}")
    for name in ("NAMETOOLONG", "NOTDIR", "ISDIR", "EXIST", "NOENT", "INVAL", "ILSEQ")
}
NEVER = re.compile(
    r"__pycache__|__MACOSX|\.DS_Store|\.git|\.ipynb_checkpoints|\.venv|site-packages|.*\.pyc"
)
PACKED = re.compile(r"\.(?:zip|rar|7z|tar|tgz|gz|bz2|xz)", re.IGNORECASE)
KIT = re.compile(r"(.*/)?jobs_kit/__init__\.py")
LOOSE = re.compile(r"(.+?)(?:_LATE)?_(\d+)_\d+_(.+[.](?:py|ipynb))", re.ASCII)
RENAMED = re.compile(r"(.+?) ?(?:-|\(|-Copy)(\d+)\)?\.py", re.ASCII)
WRITTEN = re.compile(r"\s*%%(?:writefile|file)\s+(-a\s+)?(\S+)\s*\n", re.ASCII)
OF_THE_PAGE = re.compile(r"^\s*[%!]|jobs_kit|^\s*(check|hint|solution)\(", re.MULTILINE)


@dataclass
class HandIn:
    """What one student handed in.

    files: {(exercise folder, file name): bytes}. remarks: what was left out, and why. newest: when
    the latest file was saved, in seconds since 1970. room: how many bytes may still be read.
    """

    student: str
    files: dict = field(default_factory=dict)
    remarks: list = field(default_factory=list)
    newest: float = 0
    room: int = SUBMISSION_BYTES

    def remark(self, said):
        """Say what was left out: a line that can be shown anywhere, and only so many."""
        if len(self.remarks) < SUBMISSION_REMARKS:
            self.remarks.append(one_line(said)[:REMARK_CHARACTERS])

    def write(self, place):
        """Write the files into place/<exercise folder>/…, a folder for each exercise."""
        for folder in folders():
            (place / folder).mkdir(parents=True, exist_ok=True)
        for (folder, name), data in self.files.items():
            path = place / folder / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            except (OSError, ValueError) as problem:  # a zip file may hold any name, and any two
                if isinstance(problem, OSError) and problem.errno not in OF_A_NAME:
                    # a full disk must not look like an answer that is missing
                    said = f"{problem.strerror} (files to be judged go there; TMPDIR says where)"
                    raise OSError(problem.errno, said, str(place)) from None
                self.remark(f"{name[:60]!r} cannot be the name of a file here; left out")


def folders():
    """Return {exercise folder: names of the files that belong there}."""
    found = {}
    for exercise in all_exercises().values():
        found.setdefault(exercise.folder, set()).update(exercise.files)
    return found


def students(place):
    """Return {name: path} of the students in a folder: its folders, and its zip files.

    Of loose files as Canvas packs them it is {name: {the student's name of a file: its path}}.

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
        if _is_a_hand_in(path):
            name = one_line(path.name if path.is_dir() else path.stem)
            while name in found:
                name += " (zip)"
            found[name] = path
        elif loose := _loose(path):
            name, file = loose
            while not isinstance(found.setdefault(name, {}), dict):
                name += " (files)"
            found[name][file] = path
    return found


def ignored_files(place):
    """Return the names of what lies in a folder of submissions and is taken for no student."""
    paths = sorted(Path(place).resolve().iterdir())
    if Path(place).resolve() in students(place).values():
        return []
    return [
        one_line(path.name)
        for path in paths
        if not (_is_a_hand_in(path) or _loose(path) or path.name.startswith((".", "__MACOSX")))
    ]


def _is_a_hand_in(path):
    if path.name.startswith((".", "__MACOSX")) or path.is_symlink():
        return False
    return path.is_dir() or (path.is_file() and path.suffix.lower() == ".zip")


def _loose(path):
    """Return (student, file name) of a loose file that Canvas has named, else None."""
    match = LOOSE.fullmatch(path.name)
    if match and path.is_file() and not path.is_symlink():
        return one_line(f"{match[1]}_{match[2]}"), match[3]
    return None


def one_line(said):
    """Return a text as one line that can be stored and shown, whatever bytes it was made of."""
    return text(str(said).replace("\n", " "))


def read(student, path):
    """Return the Submission of a student, from what students() has found.

    What cannot be read costs that student what it holds, and nobody else anything.
    """
    hand_in, raw = HandIn(student), {}
    try:
        if isinstance(path, dict):
            _from_files(path, hand_in, raw)
        else:
            (_from_zip if path.is_file() else _from_folder)(path, hand_in, raw)
        _sort(raw, hand_in)
    except Exception as problem:  # there is no end to what files may hold; the others must go on
        hand_in.remark(f"the hand-in of {student} cannot be read: {problem}")
    return hand_in


def _from_folder(place, hand_in, found):
    """Add {path inside the folder: bytes} of the files to found, zip files opened."""

    def refuse(problem):
        hand_in.remark(f"{Path(problem.filename).name} cannot be read: {problem.strerror}")

    paths = regular_files(place, left_out=NEVER, depth=6, onerror=refuse)
    paths = {path.relative_to(place).as_posix(): path for path in paths}
    _from_files(paths, hand_in, found)


def _from_files(paths, hand_in, found):
    """Add {name: bytes} of {name: path} to found, zip files opened."""
    packed = [name for name, path in paths.items() if path.suffix.lower() == ".zip"]
    others = [name for name in paths if name not in packed]
    for name in [*_chosen(others, hand_in, found), *packed]:
        path, told = paths[name], paths[name].stat()
        hand_in.newest = max(hand_in.newest, told.st_mtime)
        if name in packed:
            _from_zip(path, hand_in, found, f"{path.stem}/")
        elif told.st_size > min(SOURCE_FILE_BYTES * 4, hand_in.room):
            hand_in.remark(f"{name} is too large ({told.st_size} bytes): left out")
        else:
            try:
                found[name] = path.read_bytes()
            except OSError as problem:
                hand_in.remark(f"{name} cannot be read: {problem.strerror}")
            hand_in.room -= told.st_size


def _from_zip(path, hand_in, found, prefix=""):
    """Add {path inside: bytes} of a zip file to found; nothing too large, nothing outside of it."""
    hand_in.newest = max(hand_in.newest, path.stat().st_mtime)
    try:
        with zipfile.ZipFile(path) as packed:
            entries = {}
            for entry in packed.infolist():
                name = PurePosixPath(entry.filename.replace("\\", "/"))
                if entry.filename.endswith(("/", "\\")) or any(map(NEVER.fullmatch, name.parts)):
                    continue
                if name.is_absolute() or ".." in name.parts or ":" in str(name).partition("/")[0]:
                    hand_in.remark(f"{path.name}: {name} leads out of it; left out")
                else:
                    entries[str(name)] = entry
            for name in _chosen(entries, hand_in, found):
                found |= _unpacked(packed, entries[name], f"{prefix}{name}", hand_in)
    except Exception as problem:  # whatever zipfile makes of broken bytes
        hand_in.remark(f"{path.name} is no zip file that can be read: {problem}")


def _unpacked(packed, entry, name, hand_in):
    """Return {name: bytes} of one file of a zip file, or nothing where it cannot be had."""
    most = max(0, min(hand_in.room, SOURCE_FILE_BYTES * 4))
    try:
        with packed.open(entry) as file:
            data = file.read(most + 1)  # what it says of its size may lie
    except Exception as problem:  # whatever the unpackers make of broken bytes
        hand_in.remark(f"{name} cannot be unpacked: {problem}")
        hand_in.room -= SOURCE_FILE_BYTES  # to unpack in vain takes time, too
        return {}
    hand_in.room -= min(len(data), most)
    if len(data) > most:
        hand_in.remark(f"{name} is too large; left out")
        return {}
    return {name: data}


def _chosen(names, hand_in, found):
    """Return the names that can be an answer, those with a place of their own first.

    Of the whole kit only its exercises/ can: its other folders hold files of the same names.
    """
    names, known = list(names), folders()
    for kit in {match[1] or "" for match in map(KIT.fullmatch, names) if match}:
        if any(name.startswith(f"{kit}exercises/") for name in names):
            hand_in.remark("the whole kit was handed in: only its exercises/ is looked at")
            names = [n for n in names if not n.startswith(kit) or n.startswith(f"{kit}exercises/")]
    chosen = []
    for path in map(PurePosixPath, names):
        at_home = _folder_of(path, known) or any(path.name in files for files in known.values())
        if PACKED.fullmatch(path.suffix):
            hand_in.remark(f"{path.name} is left out: hand in the files, or one zip file of them")
        elif at_home or path.suffix in (".py", ".ipynb") or path.name.startswith("."):
            chosen.append((not at_home, str(path)))
    chosen = [name for _, name in sorted(chosen, key=lambda one: one[0])]
    room = SUBMISSION_FILES - len(found)
    if len(chosen) > room:
        hand_in.remark(f"more than {SUBMISSION_FILES} files: {chosen[room]} and more left out")
    return chosen[:room]


def _sort(raw, hand_in):
    """Put each file where it belongs: by its folder if it has one, else by its name."""
    known = folders()
    notebooks = {}
    for name, data in sorted(raw.items(), key=lambda one: one[0].count("/")):
        path = PurePosixPath(name)
        folder = _folder_of(path, known)
        keys = []
        if path.suffix == ".ipynb":
            notebooks[path] = data
        elif folder:
            inner = path.parts[len(path.parts) - path.parts[::-1].index(folder) :]
            keys = [(folder, "/".join(inner))]
        elif path.suffix == ".py" or path.name.startswith("."):
            keys = [(_home(path.name), path.name)]
        for key in keys:
            if hand_in.files.setdefault(key, data) != data:
                hand_in.remark(f"{name} is a second {'/'.join(key)}, and another one: left out")
    _give_names_back(hand_in, known)
    for path, data in notebooks.items():
        for (folder, file), code in _from_notebook(path, data, known, hand_in).items():
            hand_in.files.setdefault((folder, file), code.encode(errors="replace"))


def _give_names_back(hand_in, known):
    """Take jobs-1.py and "jobs (1).py" for jobs.py where there is none: downloads are called so."""
    renamed = [(RENAMED.fullmatch(key[1]), key) for key in hand_in.files]
    renamed = [(int(match[2][:9]), f"{match[1]}.py", key) for match, key in renamed if match]
    for _, name, key in sorted(renamed, reverse=True):  # the highest number is the latest
        home = key[0] if name in known[key[0]] else _home(name)
        if name in known[home] and (home, name) not in hand_in.files:
            hand_in.files[home, name] = hand_in.files[key]
            hand_in.remark(f"{key[1]} is taken for {name}, which is missing")


def _folder_of(path, known):
    return next((part for part in reversed(path.parts[:-1]) if part in known), None)


def _home(name):
    """Return the exercise folder of a file that was handed in without one."""
    if name.startswith(".evidence"):
        return shell_exercise().folder
    return folder_of_file(name)


def _from_notebook(path, data, known, hand_in):
    """Return {(folder, file): text} of what a notebook writes, or of its code as the one file."""
    ids = {exercise.id: exercise for exercise in all_exercises().values()}
    exercise = ids.get(re.sub(r"[ (\d)]+$|-Copy\d*$", "", path.stem))
    folder = _folder_of(path, known)
    try:
        cells = json.loads(data)["cells"]
        sources = ["".join(c["source"]) for c in cells if c.get("cell_type") == "code"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        hand_in.remark(f"{path.name} is no notebook that can be read: {problem!r}")
        return {}
    written = {}
    for source in sources:
        if found := WRITTEN.match(source):
            name = PurePosixPath(found[2].strip("'\"")).name
            home = _folder_of(PurePosixPath(found[2]), known) or folder
            home = home or (exercise.folder if exercise else _home(name))
            before = written.get((home, name), "") if found[1] else ""
            written[home, name] = before + source[found.end() :].rstrip("\n") + "\n"
    if not written and exercise and len(exercise.files) == 1:
        code = "\n\n".join(source for source in sources if not OF_THE_PAGE.search(source))
        if code.strip():
            written[exercise.folder, exercise.files[0]] = code
    return written


def has_evidence(hand_in, exercise):
    """Tell whether a watch has recorded an exercise: messages waited, and were taken in order."""
    recorded = hand_in.files.get((exercise.folder, evidence_file.EVIDENCE), b"")
    with contextlib.suppress(ValueError, TypeError, AttributeError, KeyError, RecursionError):
        queues = [queue for watch in json.loads(recorded)["watches"] for queue in watch["queues"]]
        return any(
            queue["most"] >= ENOUGH and queue["all_taken"] and queue["in_order"] for queue in queues
        )
    return False
