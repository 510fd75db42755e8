"""Read the files that a student submits for an exercise."""

import ast
import contextlib
import json
import os
import re
from pathlib import Path

from jobs_kit.course import starters
from jobs_kit.course.exercise import all_exercises, earlier, given_in, shuffled_in
from jobs_kit.grading.expectations import CheckError
from jobs_kit.grading.limits import PROGRESS_BYTES, SOURCE_BYTES, SOURCE_FOLDER_DEPTH
from jobs_kit.grading.source.definitions import (
    are_equal,
    defined_in,
    definitions_of,
    methods_in,
    public_name,
)
from jobs_kit.grading.source.parsing import parse, read_text
from jobs_kit.grading.source.syntax import imports_in, is_blank

DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
LOOPS = ast.For | ast.AsyncFor | ast.While
WORKS = DEFINITIONS | LOOPS
TAKES = {"worker", "consume", "lpop", "rpop", "blpop", "brpop", "lmove", "blmove"}
LEFT_OUT = re.compile(r"\..*|__pycache__|.*\.bak\d*|.*\.ipynb|test_.*\.py")
NAME_CHARACTERS = 60  # of a package
PROGRESS = ".progress.json"  # in the folder of an answer; see progress.py


class Source:
    """The files of a submission for one exercise. folder (Path): where they are.

    A check gets it as the fixture `source`.
    """

    def __init__(self, exercise, folder):
        self.exercise, self.folder = exercise, Path(folder)
        self._trees = {}  # {file name: its tree, or the CheckError}
        self._imports = {}  # {file name: its Imports}
        self._modules = None  # what modules() returns, once it is known

    def text(self, name):
        """Return the text of a file. Raises CheckError when it is missing or cannot be read."""
        return read_text(self.folder / name, name)

    def tree(self, name):
        """Return the syntax tree of a file. Raises CheckError where Python cannot read it."""
        if name not in self._trees:
            try:
                self._trees[name] = parse(self.text(name), name)
            except CheckError as fault:
                self._trees[name] = fault
        if isinstance(self._trees[name], CheckError):
            raise self._trees[name]
        return self._trees[name]

    def require(self, *names):
        """Raise CheckError unless these files are there and Python can read them."""
        for name in names or self.exercise.files:
            self.tree(name)

    def modules(self):
        """Return the names of the Python files, without those that students don't change.

        Those of a package that one of them imports are "store/clients.py". A file that cannot be
        imported is left out: JupyterLab calls a copy `jobs-Copy1.py`.
        """
        if self._modules is None:
            self._modules = self._find_modules()
        return list(self._modules)

    def _find_modules(self):
        names = self._names_in("")
        for module in self._imported_by(names):
            if module.isidentifier() and f"{module}.py" not in names:
                names += [f"{module}/{name}" for name in self._names_in(module)]
        folder = self.exercise.folder
        handed_out = {*given_in(folder), *shuffled_in(folder)}
        return [n for n in names if n not in handed_out and not n.startswith("test_")]

    def _names_in(self, folder):
        place = self.folder / folder
        # an import may name a folder that no system can have; os.path takes it for none
        is_taken = os.path.isdir(place) and not (folder and os.path.islink(place))
        paths = sorted(place.glob("*.py")) if is_taken else []
        paths = [path for path in paths if path.is_file()]
        return [path.name for path in paths if path.stem.isidentifier()]

    def _imported_by(self, names):
        statements = [statement for name in names for statement in self._imports_of(name)]
        return list(dict.fromkeys(statement.module for statement in statements))

    def _imports_of(self, name):
        if name not in self._imports:
            self._imports[name] = []
            with contextlib.suppress(CheckError):
                self._imports[name] = imports_in(self.tree(name))
        return self._imports[name]

    def packages(self):
        """Return the names of the modules that it imports from elsewhere, Python's own among them.

        A file of an exercise never counts as one, even if it is missing.
        """
        files = [file for exercise in all_exercises().values() for file in exercise.files]
        files += [*given_in(self.exercise.folder), *shuffled_in(self.exercise.folder)]
        own = {Path(name).stem.lower() for name in (*files, *self.folder.glob("*"))}
        statements = [one for name in self.modules() for one in self._imports_of(name)]
        names = {one.module for one in statements if not one.dotted.startswith(".")}
        # a call can import anything; what is no name of a package must not get into a report
        names = {name for name in names if name.isidentifier() and len(name) <= NAME_CHARACTERS}
        return sorted(name for name in names if name.lower() not in own)

    def nodes(self, *files):
        """Return all nodes of the trees of these files, by default of all modules."""
        return [node for file in files or self.modules() for node in ast.walk(self.tree(file))]

    def defines(self, name, file):
        """Tell whether a file defines a name at its top level, with or without its underscore."""
        return public_name(name) in map(public_name, dict(defined_in(self.tree(file))))

    def works_in(self, file):
        """Return the nodes that may do a program's work: definitions of functions and classes, loops."""
        return [node for node in self.nodes(file) if isinstance(node, WORKS)]

    def has_worker(self, file):
        """Tell whether a file has a worker, started or not: a decorator of a queue, or a loop."""
        nodes = self.nodes(file)
        names = {getattr(node, "attr", None) for node in nodes}
        return bool(names & TAKES) or any(isinstance(node, LOOPS) for node in nodes)

    def equals(self, file, text):
        """Tell whether a file is the same syntax tree as this text, which may be anything."""
        tree = self.tree(file)
        try:
            return ast.dump(tree) == ast.dump(parse(text, file))
        except CheckError:
            return False

    def definitions(self):
        """Return {name: [(file, node), ...]} of what all files define at the top level.

        Raises CheckError when a file of the exercise is not Python; any other is then left out.
        """
        definitions = {}
        for file in self.modules():
            try:
                tree = self.tree(file)
            except CheckError:
                if file in self.exercise.files:
                    raise
                continue
            for name, node in defined_in(tree):
                definitions.setdefault(name, []).append((file, node))
        return definitions

    def has_code(self):
        """Tell whether any file holds more than its docstring."""
        bodies = [self.tree(file).body for file in self.modules()]
        return any(not _is_docstring(statement) for body in bodies for statement in body)

    def differs(self, name, file):
        """Tell whether a definition is there and differs from the one in the starter."""
        starter = definitions_of(self.handed_out().get(file, "")).get(public_name(name))
        return any(not are_equal(node, starter) for _, node in self.definitions_like(name))

    def definitions_like(self, *names):
        """Return [(path, node), ...] of the definitions with one of these names.

        However many underscores are before them, and in a class too, where the path is
        "Store.save_job". Exactly these names come first.
        """
        public = set(map(public_name, names))
        found = [pair for pair in self._definitions() if public_name(pair[0]) in public]
        return sorted(found, key=lambda pair: pair[0] not in names)

    def has_other_definitions(self):
        """Tell whether some function or class is not blank and has a name that the starter lacks."""
        trees = map(ast.parse, self.handed_out().values())
        nodes = [node for tree in trees for node in ast.walk(tree)]
        known = {public_name(node.name) for node in nodes if isinstance(node, DEFINITIONS)}
        own = [node for node in self.nodes() if isinstance(node, DEFINITIONS)]
        return any(public_name(node.name) not in known and not is_blank(node) for node in own)

    def handed_out(self):
        """Return {file: text} of the starter of this exercise."""
        return starters.stage(self.exercise.folder, set(earlier(self.exercise)))

    def record(self):
        """Return the dict that progress.py has noted in this folder; {} if it wrote something else.

        The file is submitted with the answer, so it may contain anything.
        """
        try:
            with open(self.folder / PROGRESS, "rb") as file:
                notes = json.loads(file.read(PROGRESS_BYTES))
        except (OSError, ValueError, RecursionError, MemoryError):
            return {}
        return notes if isinstance(notes, dict) else {}

    def files(self):
        """Return {name: bytes} of the files that the programs run with: the student's, the given ones.

        Only regular files in the folder are taken, and nothing huge.
        """
        files, room = {}, SOURCE_BYTES
        for path in regular_files(self.folder):
            room -= path.stat().st_size
            if room >= 0:
                files[str(path.relative_to(self.folder))] = path.read_bytes()
        return files | starters.kit_files(self.exercise.folder)

    def _definitions(self):
        """Yield (path, node) of what all files define at the top level, and of all methods."""
        for file in self.modules():
            try:
                yield from (*defined_in(self.tree(file)), *methods_in(self.tree(file)))
            except CheckError:
                # unreadable counts as attempted: give a definition that equals nothing
                yield from ((name, ast.Pass()) for name in self.exercise.changes.get(file, ()))


def regular_files(folder, left_out=LEFT_OUT, depth=SOURCE_FOLDER_DEPTH, onerror=None):
    """Yield the files of a folder as paths, without links, pipes and devices.

    left_out: a pattern of names. onerror(problem) is called for a folder that cannot be read; without
    it the problem is raised.
    """
    try:
        with os.scandir(folder) as entries:
            entries = sorted(entries, key=lambda entry: entry.name)
    except OSError as problem:
        if not onerror:
            raise
        return onerror(problem)
    for entry in entries:
        if left_out.fullmatch(entry.name):
            continue
        if entry.is_file(follow_symlinks=False):
            yield Path(entry.path)
        elif entry.is_dir(follow_symlinks=False) and depth:
            yield from regular_files(entry.path, left_out, depth - 1, onerror)


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
