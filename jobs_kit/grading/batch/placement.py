"""Sort the files of a hand-in into the exercise folders.

A file whose name or folder is only nearly right counts where nothing else fits better. A remark
names what was taken and what was left out.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.batch.exercise_folders import (
    EXACT,
    folder_in,
    folders,
    handed_out,
    home_of,
)
from jobs_kit.grading.batch.near_names import (
    NO_ANSWER,
    SAME,
    code_type,
    likest,
    stem_of,
    words_of,
)
from jobs_kit.grading.batch.notebook_files import exercise_of, files_in_notebook
from jobs_kit.grading.limits import SUBMISSION_FILES

NAMES = 5  # files that one remark names
IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t]+(.{1,300})", re.MULTILINE)


@dataclass(frozen=True)
class Piece:
    """A file of a hand-in, and where it belongs.

    path: its PurePosixPath in the hand-in. root: the part of it that counts as the exercise folder.
    likeness: how much the root's name is like the folder's; EXACT for a file without a folder.
    """

    path: PurePosixPath
    data: bytes
    folder: str
    root: PurePosixPath
    likeness: int = EXACT
    has_folder: bool = False

    @property
    def name(self):
        """Its name in the exercise folder."""
        return self.path.relative_to(self.root).as_posix()

    @property
    def is_starter(self):
        """Whether this is what students get."""
        starter = handed_out(self.folder, self.name)
        return starter is not None and starter.split() == self.data.split()

    @functools.cached_property
    def imported_names(self):
        """The words in its import statements, as bytes."""
        return {word for line in IMPORT.findall(self.data) for word in re.findall(rb"\w+", line)}


def place_files(raw, hand_in):
    """Add each file to a HandIn where it belongs: by its folder if it has one, else by its name.

    raw: {path inside the hand-in: bytes}.
    """
    placement = Placement(hand_in)
    paths = {PurePosixPath(name): data for name, data in raw.items()}
    notebooks = {path: data for path, data in paths.items() if code_type(path.name) == "ipynb"}
    placement.add_files({path: paths[path] for path in paths if path not in notebooks})
    placement.add_nearly_right()
    placement.add_notebooks(notebooks)
    placement.remark_unused()
    hand_in.files |= {key: piece.data for key, piece in placement.taken.items()}


class Placement:
    """The files of one hand-in while they are sorted.

    taken: {(exercise folder, file name): Piece}. unused: paths of code that is in no exercise.
    """

    def __init__(self, hand_in):
        self.hand_in, self.known, self.taken, self.unused = hand_in, folders(), {}, []

    def add_files(self, paths):
        """Place {path: bytes} of files that are no notebooks."""
        roots = {}
        for path, data in paths.items():
            if piece := self._piece(path, data):
                roots.setdefault((piece.folder, piece.root), []).append(piece)
        for pieces in sorted(roots.values(), key=self._rank):
            taken = [one for one in pieces if self._take((one.folder, one.name), one)]
            if taken and taken != pieces:  # it fills the gaps of another place
                names = ", ".join(str(one.path) for one in taken)
                self.hand_in.remark(f"also graded, found nowhere else: {names}")
            if taken and pieces[0].likeness != EXACT:
                self.hand_in.remark(f"{pieces[0].root} is graded as {pieces[0].folder}")

    def _piece(self, path, data):
        folder, depth, likeness = folder_in(path, self.known)
        if folder:
            root = PurePosixPath(*path.parts[:depth])
            return Piece(path, data, folder, root, likeness, likeness == EXACT)
        if code_type(path.name) or path.name.startswith("."):
            return Piece(path, data, home_of(path.name), path.parent)
        return None

    def _rank(self, pieces):
        """Order the places of an exercise's files: the likeliest first, to be taken as a whole."""
        first, root = pieces[0], pieces[0].root
        answers = [one for one in pieces if one.name in self.known[one.folder]]
        words = {word for part in root.parts for word in words_of(part)[0]}
        return (
            bool(answers) and all(one.is_starter for one in answers),
            bool(words & NO_ANSWER),
            -first.likeness,
            len(root.parts),
            -_number_of_exercise(root.name),  # a later stage of a growing project has the earlier
            -words_of(root.name)[1],
            str(root),
        )

    def _take(self, key, piece):
        """Place a piece, unless another is there; return whether its text was placed."""
        first = self.taken.setdefault(key, piece)
        if first.data != piece.data:
            self.hand_in.remark(
                f"{piece.path} is left out: {first.path}, which differs, is graded as "
                f"{'/'.join(key)}"
            )
        return first.data == piece.data

    def add_nearly_right(self):
        """Take Echo.py for echo.py where there is none and nothing else could be meant."""
        extra = [key for key, one in self.taken.items() if self._is_extra(one)]
        unused = [key for key in extra if not self._is_imported(self.taken[key])]
        candidates = {}
        for key in extra:
            if target := self._target(self.taken[key], key not in unused):
                candidates.setdefault(target[0], []).append((*target[1:], key))
        for target, found in candidates.items():
            likeness, _, key = max(found)  # the highest number is the latest copy
            if likeness == SAME or len(found) == 1:
                self._rename(key, target, is_imported=key not in unused)
                unused = [one for one in unused if one != key]
        self.unused += [self.taken[key].path for key in unused]

    def _rename(self, key, target, is_imported):
        """Move the piece at a key to another one, a target."""
        problem = "unchanged" if target in self.taken else "missing"
        piece = self.taken[target] = self.taken[key]
        is_elsewhere = piece.has_folder and target[0] != piece.folder
        name = "/".join(target) if is_elsewhere else target[1]
        self.hand_in.remark(f"{piece.path} is graded as {name}, which is {problem}")
        if stem_of(key[1]).isidentifier() and not is_imported:
            del self.taken[key]  # checks would find a second module with the same definitions

    def _is_extra(self, piece):
        """Tell whether a piece is code that no exercise has, in a file of this name."""
        if piece.name in self.known[piece.folder] or not code_type(piece.name):
            return False
        return not (
            piece.path.name == "__init__.py" or handed_out(piece.folder, piece.name) is not None
        )

    def _is_imported(self, piece):
        module = piece.name.partition("/")[0].removesuffix(".py").encode()
        others = [one for one in self.taken.values() if one.folder == piece.folder]
        return any(module in one.imported_names for one in others if one is not piece)

    def _target(self, piece, is_imported):
        """Return ((folder, file), likeness, copy number) of the file that a piece may be, or None.

        That file is missing or unchanged. A module that others import is a helper
        (api_tools.py), unless its last word is that file's (my_jobs.py).
        """
        names, stem = self._names_for(piece, is_imported), stem_of(piece.path.name)
        name, likeness = likest(stem, names)
        first = self.taken.get(names.get(name))
        if not name or "/" in piece.name or (first and not first.is_starter):
            return None
        if is_imported and words_of(stem)[0][-1:] != words_of(name)[0][-1:]:
            return None
        return names[name], likeness, words_of(stem)[1]

    def _names_for(self, piece, is_imported):
        """Return {name without suffix: (folder, file)} of the files that a piece may be.

        A piece in an exercise's folder is one of its files, unless its name is that of one file
        elsewhere: echo.py in find_the_bugs.
        """
        homes = [folder for folder, files in self.known.items() if piece.name in files]
        has_folder = piece.has_folder and (is_imported or len(homes) != 1)
        names = {}
        for folder in [piece.folder] if has_folder else self.known:
            for file in self.known[folder]:
                names[stem_of(file)] = (folder if has_folder else home_of(file), file)
            if len(self.known[folder]) == 1:  # echo_worker.py can only be its one file
                names[folder] = (folder, *self.known[folder])
        return names

    def add_notebooks(self, notebooks):
        """Place notebooks, {path: bytes}, and the files that they write."""
        for path in sorted(
            notebooks, key=lambda path: (-exercise_of(path)[1], len(path.parts), path)
        ):
            exercise, likeness = exercise_of(path)
            files = files_in_notebook(path, notebooks[path], self.known, self.hand_in)
            for key, code in files.items():
                if len(self.taken) >= SUBMISSION_FILES and key not in self.taken:
                    self.hand_in.remark(f"more than {SUBMISSION_FILES} files: {key[1]} is left out")
                    break
                piece = Piece(path, code.encode(errors="replace"), key[0], path.parent)
                self._take_from_notebook(key, piece)
            if files and exercise and likeness != EXACT:
                self.hand_in.remark(f"{path} is graded as {exercise.id}.ipynb")
            if not files and likeness != EXACT:
                self.unused.append(path)

    def _take_from_notebook(self, key, piece):
        """Place a file that a notebook writes; a separate file wins unless it is the starter."""
        first = self.taken.get(key)
        if first and first.is_starter and first.data.split() != piece.data.split():
            self.taken[key] = piece
            self.hand_in.remark(f"{first.path} is unchanged: {piece.path} is graded")
        elif not first or code_type(first.path.name) == "ipynb":
            self._take(key, piece)

    def remark_unused(self):
        """Add a remark about files that are in no exercise."""
        names = [*map(str, self.unused), *self.hand_in.other_files]
        if any(name in self.known[folder] for folder, name in self.taken):
            names = [name for name in names if self._could_be_an_answer(PurePosixPath(name).name)]
        if names:
            more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
            listed = ", ".join(names[:NAMES])
            self.hand_in.remark(f"submitted, but not part of any exercise: {listed}{more}")

    def _could_be_an_answer(self, name):
        """Tell whether a file should be named, although there are answers: code, or echo.docx."""
        files = {stem_of(file) for names in self.known.values() for file in names}
        is_code = code_type(name) and not name.startswith("test_")
        return bool(is_code or likest(stem_of(name), files)[1] == SAME)


def _number_of_exercise(name):
    exercise = all_exercises().get(name)
    return exercise.number if exercise else 0
