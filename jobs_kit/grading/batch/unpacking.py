"""Read the files of a hand-in, from a folder, a zip file or loose files."""

import io
import itertools
import re
import zipfile
from pathlib import Path, PurePosixPath

from jobs_kit.grading.batch.exercise_folders import folder_of, folders
from jobs_kit.grading.batch.near_names import code_type
from jobs_kit.grading.batch.uploads import ZipIndex, name_text
from jobs_kit.grading.limits import (
    SOURCE_FILE_BYTES,
    SUBMISSION_BYTES,
    SUBMISSION_ENTRIES,
    SUBMISSION_FILES,
)
from jobs_kit.grading.source.files import regular_files

NEVER_READ = re.compile(
    r"__pycache__|__MACOSX|\.DS_Store|\.git|\.ipynb_checkpoints|\.venv|site-packages|.*\.pyc"
)
PACKED = re.compile(r"\.(?:zip|rar|7z|tar|tgz|gz|bz2|xz)", re.IGNORECASE)
# the others are unpacked in pieces without a limit
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
KIT = re.compile(r"(.*/)?jobs_kit/__init__\.py")
READ_BYTES = 4 * SOURCE_FILE_BYTES  # of one file
TOO_LARGE = (
    f"is too large and left out: at most {READ_BYTES >> 20} MB of a file are read, and "
    f"{SUBMISSION_BYTES >> 20} MB of a submission"
)


def unpack(paths, hand_in):
    """Return {path inside the hand-in: bytes} of the files of a hand-in.

    paths: {name inside the hand-in: Path} of folders, zip files and other files. One that is named
    "" is the hand-in itself. hand_in: a HandIn for the remarks.
    """
    files, others = {}, {}
    for name, path in paths.items():
        if path.is_dir():
            _add_folder(path, hand_in, files, PurePosixPath(name))
        elif not name:
            _add_zip(path, hand_in, files)
        else:
            others[name] = path
    _add_files(others, hand_in, files)
    return files


def _add_folder(place, hand_in, files, prefix):
    """Add the files of a folder to files, below a prefix, zip files opened."""

    def refuse(problem):
        hand_in.remark(f"{Path(problem.filename).name} cannot be read: {problem.strerror}")

    paths = regular_files(place, left_out=NEVER_READ, depth=6, onerror=refuse)
    paths = list(itertools.islice(paths, SUBMISSION_ENTRIES + 1))
    if len(paths) > SUBMISSION_ENTRIES:
        hand_in.remark(
            f"more than {SUBMISSION_ENTRIES} files: {paths.pop().name} and more are left out"
        )
    names = {path: name_text(path.relative_to(place).as_posix()) for path in paths}
    paths = {(prefix / name).as_posix(): path for path, name in names.items()}
    _add_files(paths, hand_in, files)


def _add_files(paths, hand_in, files):
    """Add {name: bytes} of {name: path} to files, zip files opened."""
    packed = [name for name, path in paths.items() if path.suffix.lower() == ".zip"]
    others = [name for name in paths if name not in packed]
    for name in [*_chosen(others, hand_in, files), *packed]:
        path, status = paths[name], paths[name].stat()
        hand_in.newest = max(hand_in.newest, status.st_mtime)
        if status.st_nlink > 1:  # of a file that the student may not be able to read
            hand_in.remark(f"{name} is a hard link to another file: left out; submit a copy")
        elif name in packed:
            _add_zip(path, hand_in, files, f"{PurePosixPath(name).stem}/")
        else:
            try:
                with path.open("rb") as file:
                    files |= _bounded(file, name, hand_in)
            except OSError as problem:
                hand_in.remark(f"{name} cannot be read: {problem.strerror}")


def _add_zip(path, hand_in, files, prefix=""):
    """Add the files of a zip file to files; none that is too large or has a path outside of it."""
    hand_in.newest = max(hand_in.newest, path.stat().st_mtime)
    try:
        with ZipIndex(io.FileIO(path)) as file, zipfile.ZipFile(file) as packed:
            entries = _entries(packed, path.name, hand_in)
            for name in _chosen(entries, hand_in, files):
                files |= _unpacked(packed, entries[name], f"{prefix}{name}", hand_in)
    except Exception as problem:  # whatever zipfile makes of broken bytes
        hand_in.remark(
            f"{path.name} cannot be opened as a zip file ({problem}): pack the files again, or submit "
            "them unpacked"
        )


def _entries(packed, zip_name, hand_in):
    """Return {path: entry} of the files of a zip file whose paths stay inside it."""
    entries = {}
    for entry in packed.infolist():
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        if entry.filename.endswith(("/", "\\")) or any(map(NEVER_READ.fullmatch, name.parts)):
            continue
        if name.is_absolute() or ".." in name.parts or ":" in str(name).partition("/")[0]:
            hand_in.remark(f"{zip_name}: {name} leads out of the zip file; left out")
        else:
            entries[str(name)] = entry
    return entries


def _unpacked(packed, entry, name, hand_in):
    """Return {name: bytes} of one file of a zip file, or {} where it cannot be read."""
    try:
        if entry.compress_type not in COMPRESSIONS:
            raise ValueError("it is compressed in an unusual way; make an ordinary zip file")
        with packed.open(entry) as file:
            return _bounded(file, name, hand_in)
    except Exception as problem:  # whatever the unpackers make of broken bytes
        hand_in.remark(f"{name} cannot be unpacked: {problem}")
        hand_in.room -= SOURCE_FILE_BYTES  # unpacking in vain takes time, too
        return {}


def _bounded(file, name, hand_in):
    """Return {name: bytes} of an open file; of a program that is too large only enough to say so."""
    most = max(0, min(hand_in.room, READ_BYTES))
    data = file.read(most + 1)  # the size that is stated somewhere may be wrong
    hand_in.room -= min(len(data), most)
    if len(data) <= most:
        return {name: data}
    hand_in.remark(f"{name} {TOO_LARGE}")
    # a check must see that it was there
    is_program = code_type(PurePosixPath(name).name) == "py" and most > SOURCE_FILE_BYTES
    return {name: data[: SOURCE_FILE_BYTES + 1]} if is_program else {}


def _without_kit(names, hand_in):
    """Return the names without files of a whole kit that are outside its exercises/.

    Its other folders hold files of the same names.
    """
    for kit in {match[1] or "" for match in map(KIT.fullmatch, names) if match}:
        if any(name.startswith(f"{kit}exercises/") for name in names):
            hand_in.remark("the whole kit was submitted: only its exercises/ folder is graded")
            names = [n for n in names if not n.startswith(kit) or n.startswith(f"{kit}exercises/")]
    return names


def _chosen(names, hand_in, files):
    """Return the names of files that can be an answer, those that belong to an exercise first."""
    known = folders()
    names = _without_kit(list(names), hand_in)
    chosen = []
    for path in map(PurePosixPath, names):
        belongs = folder_of(path, known) or any(path.name in there for there in known.values())
        if PACKED.fullmatch(path.suffix):
            hand_in.remark(f"{path.name} is left out: submit the files, or one zip file of them")
        elif belongs or code_type(path.name) or path.name.startswith("."):
            chosen.append((not belongs, str(path)))
        else:
            hand_in.other_files.append(str(path))
    chosen = [name for _, name in sorted(chosen, key=lambda choice: choice[0])]
    room = SUBMISSION_FILES - len(files)
    if len(chosen) > room:
        hand_in.remark(f"more than {SUBMISSION_FILES} files: {chosen[room]} and more are left out")
    return chosen[:room]
