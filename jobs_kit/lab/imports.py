"""Who imports whom among the files of a folder? Read off the files; none of them is run.

    draw_imports("scratch/shop")                       # a cell shows the picture

What an import names is a file of the folder, or comes with Python, or was installed, or is nowhere.
An import inside a function waits until the function is called, so it closes no cycle.
"""

import ast
import html
import sys
import textwrap
import warnings
from collections import deque
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from jobs_kit.lab.import_picture import draw

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
KINDS = ("standard library", "third party", "not found")


def draw_imports(folder="."):
    """Read the Python files of a folder, but for __init__.py and test_*.py; return ImportGraph."""
    folder = Path(folder)
    paths = [path for path in folder.glob("*.py") if _is_drawn(path)]
    names = {path.stem for path in paths}
    package = _package(folder.resolve())
    return ImportGraph(folder, {path.stem: _read(path, names, package) for path in sorted(paths)})


@dataclass
class Module:
    """One file, and what it imports.

    own: files of its folder; later: those that only its functions import; outside: {kind: names of
    other modules}; fault: why the file cannot be read, or "".
    """

    own: list = field(default_factory=list)
    later: list = field(default_factory=list)
    outside: dict = field(default_factory=lambda: {kind: [] for kind in KINDS})
    fault: str = ""


class ImportGraph:
    """What a cell shows as a picture and a terminal as text.

    modules: {name: Module}. cycles: lists such as ["api", "worker", "api"].
    """

    def __init__(self, folder, modules):
        self.folder, self.modules = folder, modules
        reached = {name: self._reach(name) for name in modules}
        self.circles = []  # sets of names that import each other, directly or through others
        for name in modules:
            if name in reached[name] and not any(name in circle for circle in self.circles):
                self.circles.append({one for one in reached[name] if name in reached[one]})
        self.cycles = [self._way_back(min(circle)) for circle in self.circles]

    def imports(self):
        """Return [(who, whom), ...] of the imports that happen when a file starts."""
        return [(who, whom) for who, module in self.modules.items() for whom in module.own]

    def in_a_cycle(self, who, whom):
        """Tell whether the import of whom by who is part of a cycle."""
        return any(who in circle and whom in circle for circle in self.circles)

    def __repr__(self):
        if not self.modules:
            what = "Python files" if self.folder.is_dir() else "folder"
            return f"There is nothing to draw: no {what} at {self.folder}"
        lines = [_in_words(name, module) for name, module in self.modules.items()]
        return "\n".join(lines + self.verdict())

    def verdict(self):
        """Return a line for each cycle, or the one line that there is none."""
        return [f"CYCLE: {_files(cycle, ' → ')}" for cycle in self.cycles] or ["No cycle."]

    def _repr_html_(self):
        text = f"<pre>{html.escape(repr(self))}</pre>"
        if not self.modules:
            return text
        return f"{draw(self)}<details><summary>The same as text</summary>{text}</details>"

    def _reach(self, start):
        reached, waiting = set(), [start]
        while waiting:
            found = set(self.modules[waiting.pop()].own) - reached
            reached |= found
            waiting += found
        return reached

    def _way_back(self, start):
        ways, seen = deque([[start]]), set()
        while True:
            way = ways.popleft()
            for name in self.modules[way[-1]].own:
                if name == start:
                    return [*way, name]
                if name not in seen:
                    seen.add(name)
                    ways.append([*way, name])


def _in_words(name, module):
    if module.fault:
        return f"{name}.py: cannot be read, {module.fault}"
    parts = [f"imports {_files(module.own) or 'none of these files'}"]
    if module.later:
        parts.append(f"inside a function: {_files(module.later)}")
    parts += [f"{kind}: {', '.join(names)}" for kind, names in module.outside.items() if names]
    return f"{name}.py: {'; '.join(parts)}"


def _files(names, between=", "):
    return between.join(f"{name}.py" for name in names)


def _is_drawn(path):
    return path.is_file() and path.name != "__init__.py" and not path.name.startswith("test_")


def _package(folder):
    """Return the name of the package that a folder is, "jobs_kit.lab", or "" for a plain folder."""
    names = []
    while (folder / "__init__.py").exists():
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names)


def _read(path, names, package):
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError) as fault:
        line = f"line {fault.lineno}: {fault.msg}" if isinstance(fault, SyntaxError) else str(fault)
        return Module(fault=textwrap.shorten(line, 60))
    module = Module()
    for dotted, is_later in _imports(tree, package):
        name = _own_name(dotted, names, package)
        if name:
            _add(module.later if is_later else module.own, name)
        elif not _is_within(dotted, package):
            top = dotted.split(".")[0]
            _add(module.outside[_kind(top)], top)
    module.later = [name for name in module.later if name not in module.own]
    return module


def _imports(node, package, is_later=False):
    """Yield (dotted name, whether a function does it) for what is imported at a node and below."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, is_later) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        home = node.module or ""
        if node.level:
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            home = ".".join([*parents, *filter(None, [node.module])])
        yield from ((f"{home}.{alias.name}", is_later) for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, package, is_later or isinstance(node, FUNCTIONS))


def _own_name(dotted, names, package):
    if package and not _is_within(dotted, package):
        return None
    name = dotted.removeprefix(package).lstrip(".").split(".")[0]
    return name if name in names else None


def _is_within(dotted, package):
    return f"{dotted}.".startswith(f"{package}.")


def _kind(name):
    if name in sys.stdlib_module_names:
        return "standard library"
    try:
        return "third party" if find_spec(name) else "not found"
    except (ImportError, ValueError):
        return "not found"


def _add(names, name):
    if name not in names:
        names.append(name)
