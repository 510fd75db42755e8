"""What stands in a student's files? Read as text and as a syntax tree; nothing is run.

A name counts the same with and without its leading underscore wherever files are compared with
what was handed out: to make a helper private is another exercise than to write it.
"""

import ast
import codecs
import contextlib
import json
import os
import re
import tokenize
import warnings
from pathlib import Path

from jobs_kit.course import starters
from jobs_kit.course.exercise import earlier, given_in, shuffled_in
from jobs_kit.grading.expectations import CheckError, NotAttemptedError
from jobs_kit.grading.limits import (
    SOURCE_BYTES,
    SOURCE_FILE_BYTES,
    SOURCE_FOLDER_DEPTH,
    SYNTAX_TREE_DEPTH,
)
from jobs_kit.grading.source.syntax import imports_in
from jobs_kit.grading.source.syntax_hints import hint_for_syntax

LEFT_OUT = re.compile(r"\..*|__pycache__|.*\.bak\d*|.*\.ipynb|test_.*\.py")
PROGRESS = ".progress.json"  # in the folder of an answer; see progress.py


class Source:
    """The files that a student hands in for an exercise. folder (Path): where they are."""

    def __init__(self, exercise, folder):
        self.exercise, self.folder = exercise, Path(folder)
        self._trees = {}  # what was read: {file name: its tree, or the CheckError}
        self._imported = {}  # {file name: the names of the modules that it imports}

    def text(self, name):
        """Return the text of a file. Raises CheckError when it is missing or cannot be read."""
        path = self.folder / name
        if not path.is_file():
            raise CheckError(
                f"a file {name} in the folder of this exercise",
                got="there is none",
                hint="What is the file called that you saved, and in which folder is it?",
            )
        if path.stat().st_size > SOURCE_FILE_BYTES:
            raise CheckError(
                f"{name} is a program of a few lines", got=f"{path.stat().st_size} bytes"
            )
        try:
            text = path.read_text(encoding=_encoding_of(path))
            if "\0" in text:  # UTF-16 without its mark is UTF-8, too: each other byte is 0
                where = text.index("\0")
                raise UnicodeDecodeError("utf-8", text.encode(), where, where + 1, "a zero")
            return text
        except UnicodeDecodeError as problem:
            raise CheckError(
                f"{name} is stored as UTF-8, as JupyterLab does",
                got=f"byte {problem.start} is {problem.object[problem.start]:#x}",
                hint="Which editor wrote this file? Open it in JupyterLab and save it again.",
            ) from None
        except OSError as problem:
            raise CheckError(f"{name} can be read", got=str(problem)) from None

    def tree(self, name):
        """Return the syntax tree of a file. Raises CheckError where Python cannot read it."""
        if name not in self._trees:
            try:
                self._trees[name] = self._read_tree(name)
            except CheckError as fault:
                self._trees[name] = fault
        if isinstance(self._trees[name], CheckError):
            raise self._trees[name]
        return self._trees[name]

    def _read_tree(self, name):
        text = self.text(name)
        try:
            with warnings.catch_warnings(action="ignore"):
                compile(text, name, "exec", dont_inherit=True)  # finds more than ast.parse()
                tree = ast.parse(text, name)
            if _is_deep(tree):
                raise ValueError("it is nested too deeply to be read")
            return tree
        except SyntaxError as problem:
            lines = [*text.splitlines(), ""]
            number = min(problem.lineno or len(lines), len(lines))
            line = lines[number - 1]
            raise CheckError(
                f"{name} is Python",
                call=f"python {name}",
                got=f"{problem.msg}\n{name}, line {number}:  {line.strip()}",
                hint=hint_for_syntax(problem.msg, line),
            ) from None
        except (ValueError, RecursionError, MemoryError) as problem:
            raise CheckError(f"{name} is Python", call=f"python {name}", got=str(problem)) from None

    def require(self, *names):
        """Raise CheckError unless these files are there and Python can read them."""
        for name in names or self.exercise.files:
            self.tree(name)

    def modules(self):
        """Return the names of the Python files, without those that are handed out as they are.

        Those of a package that one of them imports are "store/clients.py". What no file can import
        is none of them: JupyterLab calls a copy `jobs-Copy1.py`.
        """
        names = self._names_in("")
        for one in self._imported_by(names):
            if one.isidentifier() and f"{one}.py" not in names:
                names += [f"{one}/{name}" for name in self._names_in(one)]
        folder = self.exercise.folder
        handed_out = {*given_in(folder), *shuffled_in(folder)}
        return [n for n in names if n not in handed_out and not n.startswith("test_")]

    def _names_in(self, folder):
        place = self.folder / folder
        paths = [] if folder and place.is_symlink() else sorted(place.glob("*.py"))
        paths = [path for path in paths if path.is_file()]
        return [path.name for path in paths if path.stem.isidentifier()]

    def _imported_by(self, names):
        for name in set(names) - set(self._imported):
            self._imported[name] = []
            with contextlib.suppress(CheckError):
                self._imported[name] = [one.module for one in imports_in(self.tree(name))]
        return list(dict.fromkeys(module for name in names for module in self._imported[name]))

    def definitions(self):
        """Return {name: [(file, node), ...]} of what all files define at the top level.

        Raises CheckError when a file of the exercise is not Python; any other is then left out.
        """
        found = {}
        for file in self.modules():
            try:
                tree = self.tree(file)
            except CheckError:
                if file in self.exercise.files:
                    raise
                continue
            for name, node in defined_in(tree):
                found.setdefault(name, []).append((file, node))
        return found

    def has_code(self):
        """Tell whether any file holds more than its docstring."""
        bodies = [self.tree(file).body for file in self.modules()]
        return any(not _is_text(statement) for body in bodies for statement in body)

    def is_attempted(self):
        """Tell whether anything that the exercise changes differs from what was handed out."""
        exercise = self.exercise
        if exercise.is_attempted:
            return bool(exercise.is_attempted(self))
        return any(
            self.differs(name, file) for file, names in exercise.changes.items() for name in names
        )

    def differs(self, name, file):
        """Tell whether a definition is there and differs, as a tree, from the handed-out one."""
        handed_out = dict_of(self.handed_out().get(file, ""))
        mine = [node for f in self._readable() for n, node in f if plain(n) == plain(name)]
        return any(_dump(node) != _dump(handed_out.get(plain(name))) for node in mine)

    def handed_out(self):
        """Return {file: text} of where this exercise starts."""
        return starters.stage(self.exercise.folder, set(earlier(self.exercise)))

    def record(self):
        """Return what progress.py has noted in this folder, a dict."""
        try:
            noted = json.loads((self.folder / PROGRESS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return noted if isinstance(noted, dict) else {}

    def require_attempt(self):
        """Raise NotAttemptedError if nothing has been done yet."""
        try:
            attempted = self.is_attempted()
        except NotAttemptedError:  # the exercise has words of its own for it
            raise
        except CheckError:  # what cannot be read was written by somebody
            attempted = True
        if not attempted:
            changes = self.exercise.changes.items()
            parts = [
                f"{' and '.join(names)} in {file}" if names else file for file, names in changes
            ]
            raise NotAttemptedError(
                f"nothing to judge yet; still to do: {', '.join(parts) or 'the source'}"
            )

    def files(self):
        """Return {name: bytes} of the files that an answer runs with: its own, and the given ones.

        Only what lies in the folder itself is taken: no links out of it, nothing huge.
        """
        found, room = {}, SOURCE_BYTES
        for path in regular_files(self.folder):
            room -= path.stat().st_size
            if room >= 0:
                found[str(path.relative_to(self.folder))] = path.read_bytes()
        return found | starters.kit_files(self.exercise.folder)

    def _readable(self):
        for file in self.modules():
            try:
                yield list(defined_in(self.tree(file)))
            except CheckError:
                # unreadable counts as attempted: give a definition that equals nothing
                yield [(name, ast.Pass()) for name in self.exercise.changes.get(file, ())]


def regular_files(folder, left_out=LEFT_OUT, depth=SOURCE_FOLDER_DEPTH, onerror=None):
    """Yield the files of a folder as paths, without links, pipes and devices.

    onerror(problem) hears of a folder that cannot be read; without it that is raised.
    """
    try:
        with os.scandir(folder) as entries:
            entries = sorted(entries, key=lambda one: one.name)
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


def defined_in(tree):
    """Yield (name, node) of what a module defines at its top level; app.run() is "app.run"."""
    for node in _top_level(tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                        yield name.id, node
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Attribute) and function.attr == "run":
                yield f"{ast.unparse(function.value)}.run", node


def _encoding_of(path):
    """Return the encoding of a Python file: UTF-8, or one of a few that its first lines name."""
    with contextlib.suppress(SyntaxError), path.open("rb") as file:
        named = codecs.lookup(tokenize.detect_encoding(file.readline)[0]).name
        if named.startswith(("iso8859", "cp125")):  # with others there are surprises
            return named
    return "utf-8-sig"


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _top_level(body):
    for node in body:
        yield node
        for block in ("body", "orelse", "handlers", "finalbody"):
            if not isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
                break
            yield from _top_level(getattr(node, block, []))


def _is_deep(tree):
    """Tell whether a tree is deeper than what can be walked; nobody writes such a line by hand."""
    level, depth = [tree], 0
    while level and depth <= SYNTAX_TREE_DEPTH:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return bool(level)


def dict_of(text):
    """Return {name without underscore: node} of what a module's text defines."""
    return {plain(name): node for name, node in defined_in(ast.parse(text))}


def plain(name):
    """Return a name without the underscore that makes it private."""
    return name[1:] if name.startswith("_") and not name.startswith("__") else name


def _dump(node):
    """Return a tree as text, names without underscore, docstrings left out."""
    if node is None:
        return None
    node = _Plain().visit(ast.parse(ast.unparse(node)))
    return ast.dump(node)


class _Plain(ast.NodeTransformer):
    def visit_Name(self, node):
        return ast.Name(plain(node.id), node.ctx)

    def visit_FunctionDef(self, node):
        node.name = plain(node.name)
        if len(node.body) > 1 and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        return self.generic_visit(node)
