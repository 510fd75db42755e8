"""Find the submissions in a folder: as platforms pack them, or a folder or zip file for each student.

    SUBMISSIONS/ana/jobs_service/api.py …      folders as in exercises/
    SUBMISSIONS/ben/api.py …                   all files flat
    SUBMISSIONS/dia/work.zip, SUBMISSIONS/eli.zip
    SUBMISSIONS/hw1-fay/echo.py                repositories, of a login
    SUBMISSIONS/gil_4711_12345_api.py          what a platform packed: see platforms.py
    SUBMISSIONS/hw1/ana/…                      one folder around the whole class

Links are not followed.
"""

import contextlib
import io
import os
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from jobs_kit.grading.batch.exercise_folders import folders
from jobs_kit.grading.batch.near_names import SAME, code_type, likest, stem_of
from jobs_kit.grading.batch.platforms import (
    GRADESCOPE,
    Person,
    entry_of,
    gradescope_authors,
)
from jobs_kit.grading.limits import ZIP_INDEX_BYTES
from jobs_kit.redis_server.text import text

VERSION = re.compile(  # a folder that is hardly named after a student
    r"old|new|final|draft|backup|src|code|(?:version|v|part|hw|homework|week|lesson|try)\W*\d*",
    re.IGNORECASE,
)


@dataclass
class Upload:
    """The files that one student, or one group, uploaded.

    student: the name of the submission. people: its authors, Persons. paths: {name inside the
    submission: Path}; a folder or zip file named "" is the submission itself. late (bool): the
    platform marked it.
    """

    student: str
    people: tuple
    paths: dict = field(default_factory=dict)
    late: bool = False


class ZipIndex(io.BufferedReader):
    """A zip file open for reading; its list of files, which zipfile reads at once, must be short."""

    def read(self, size=-1):
        """Return so many bytes, -1 for all. Raises ValueError where a list of files has fewer."""
        most = ZIP_INDEX_BYTES + 1
        data = super().read(size if 0 <= size < most else most)
        if len(data) == most:
            raise ValueError("it holds too many files: submit only those of the exercises")
        return data


def find_uploads(place):
    """Return {student: Upload} of a folder of submissions.

    A folder that is itself a submission counts as one student, named as the folder. Raises
    NotADirectoryError, and ValueError for the packed download of a whole class.
    """
    place = class_folder(place)
    if _is_a_submission(place):
        return single_upload(place)
    entries = {path: _entry(path) for path in _visible(place)}
    is_download = any(_is_code(path.name) for path, one in entries.items() if one)
    uploads = {}
    for path in _visible(place):  # a folder or zip file of a student first: files may join no other
        if not entries[path] and _is_folder_or_zip(path):
            _add_plain(path, uploads)
    for path, entry in reversed(entries.items()):  # the latest attempt first
        if entry and (path.is_dir() or is_download):
            _add_entry(path, entry, uploads)
    _add_authors(uploads, gradescope_authors(place))
    return dict(sorted(uploads.items()))


def single_upload(place):
    """Return {student: Upload} of a folder that is the work of one student, named as the folder."""
    place = Path(place).resolve()
    if not place.is_dir():
        raise NotADirectoryError(f"{place} is not a folder with a student's work")
    name = one_line(name_text(place.name))
    return {name: Upload(name, (_person(name),), {"": place})}


def ignored_files(place):
    """Return the names of files in a folder of submissions that are taken for no student."""
    place = class_folder(place)
    taken = {path for one in find_uploads(place).values() for path in one.paths.values()}
    if place in taken:
        return []
    names = [path.name for path in _visible(place) if path not in taken]
    return [one_line(name_text(name)) for name in names if name != GRADESCOPE]


def class_folder(place):
    """Return the folder that holds the students: place itself, or the one folder around them all.

    Raises NotADirectoryError, and ValueError for the packed download of a whole class.
    """
    place = Path(place).resolve()
    if not place.is_dir():
        way_out = ": unpack it, and name its folder" if place.suffix.lower() == ".zip" else ""
        raise NotADirectoryError(f"{place} is not a folder of submissions{way_out}")
    inside = [path for path in _visible(place) if _is_folder_or_zip(path)]
    if len(inside) != 1 or _is_a_submission(place) or _entry(inside[0]):
        return place
    if inside[0].is_dir():
        return class_folder(inside[0]) if _holds_a_class(inside[0]) else place
    if any(entry_of(name) or name == GRADESCOPE for name in _first_names(inside[0])):
        raise ValueError(
            f"{inside[0]} holds the submissions of a whole class: unpack it, and grade the folder "
            "that you get"
        )
    return place


def name_text(name):
    """Return the name of a file as its author sees it, whatever this computer's encoding is."""
    with contextlib.suppress(UnicodeDecodeError):
        return os.fsencode(name).decode()
    return name


def one_line(message):
    """Return a string as one line that can be stored and printed, whatever it holds."""
    return text(str(message).replace("\n", " "))


def _holds_a_class(folder):
    """Tell whether a folder holds students, and not the work of one of them."""
    inside = _visible(folder)
    if _is_a_submission(folder) or (folder / ".git").exists():
        return False
    if (folder / GRADESCOPE).exists() or any(map(_entry, inside)):
        return True
    students = [path for path in inside if _is_folder_or_zip(path)]
    known = folders()
    if any(VERSION.fullmatch(one.stem) or likest(one.stem, known)[0] for one in students):
        return False
    seen = set()
    for names in map(_answers_in, students):
        if names & seen:  # two have the same file: they are answers of two students
            return True
        seen |= names
    return False


def _answers_in(path):
    """Return the names of exercises' files in a folder or zip file."""
    if path.is_dir():
        names = [name for *_, files in os.walk(path) for name in files]
    else:
        names = [name.rpartition("/")[2] for name in _names_in_zip(path)]
    return set(names) & set().union(*folders().values())


def _first_names(path):
    return {name.partition("/")[0] for name in _names_in_zip(path)}


def _names_in_zip(path):
    try:
        with ZipIndex(io.FileIO(path)) as file, zipfile.ZipFile(file) as packed:
            return packed.namelist()
    except Exception:  # whatever zipfile makes of broken bytes; reading it makes the remark
        return []


def _visible(place):
    return sorted(path for path in place.iterdir() if not path.name.startswith((".", "__MACOSX")))


def _is_a_submission(place):
    """Tell whether a folder is the work of one student: it holds what belongs to an exercise."""
    known, inside = folders(), _visible(place)
    files = set().union(*known.values())
    if {path.name for path in inside} & {*known, *files}:
        return True
    stems = {stem_of(name) for name in files}
    students = [
        path for path in inside if _is_folder_or_zip(path) and not _is_like(path.name, known)
    ]
    return not students and any(
        _is_like(path.name, known) if path.is_dir() else _is_like(stem_of(path.name), stems)
        for path in inside
        if path.is_dir() or code_type(path.name)
    )


def _is_code(name):
    return code_type(name) or name.lower().endswith(".zip")


def _is_like(name, names):
    return likest(name, names)[1] == SAME


def _is_folder_or_zip(path):
    if path.is_symlink():
        return False
    return path.is_dir() or (path.is_file() and path.suffix.lower() == ".zip")


def _entry(path):
    """Return the Entry of a path that a platform has named, else None."""
    if path.is_symlink() or not (path.is_dir() or path.is_file()):
        return None
    return entry_of(name_text(path.name))


def _person(name):
    return Person(id=name, logins=(name,), name=name)


def _add_plain(path, uploads):
    name = one_line(name_text(path.name if path.is_dir() else path.stem))
    upload = uploads.setdefault(name, Upload(name, (_person(name),)))
    upload.paths[path.name if upload.paths else ""] = path  # ana.zip beside ana/ is hers, too


def _add_entry(path, entry, uploads):
    name = one_line(entry.student)
    while name in uploads and "" in uploads[name].paths and uploads[name].people != entry.people:
        name += " (files)"
    upload = uploads.setdefault(name, Upload(name, entry.people))
    file = one_line(entry.file)
    if file in upload.paths:  # of an earlier attempt
        file = f"{one_line(name_text(path.name))}/{file}".removesuffix("/")
    upload.paths[file] = path
    upload.late |= entry.late


def _add_authors(uploads, authors):
    """Name the authors of each upload, as Gradescope's metadata or a repository's name tells.

    authors: see gradescope_authors(). The repositories of a class are called hw1-ana, hw1-ben.
    """
    plain = [name for name, one in uploads.items() if one.people == (_person(name),)]
    for name, people in authors.items():
        if name in uploads:
            upload = uploads.pop(name)
            upload.student = f"{', '.join(one.name or one.id for one in people)} ({name})"
            upload.people = people
            uploads[upload.student] = upload
    for name in set(plain) - set(authors):
        shared = [cut for cut in _cuts(name) if _is_shared(cut, plain)]
        logins = (name, *(name.removeprefix(cut) for cut in shared))
        uploads[name].people = (Person(name, logins, logins[min(1, len(shared))]),)


def _is_shared(cut, names):
    return len(names) == 1 or sum(name.startswith(cut) for name in names) > 1


def _cuts(name):
    """Return the part of a name up to each of its hyphens, the shortest first."""
    return [name[: match.end()] for match in re.finditer("-", name) if match.end() < len(name)]
