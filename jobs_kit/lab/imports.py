"""The import graph of a folder: which of its files imports which. It reads them and runs none.

    draw_imports("scratch/shop")                       # a cell shows the picture

An import names a file of the folder, a module of Python, an installed one, or nothing that exists.
An import inside a function waits until the function is called, so it closes no cycle.
"""

import ast
import json
import sys
import textwrap
import warnings
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from jobs_kit.grading.source.import_paths import reachable, shortest_path
from jobs_kit.grading.source.syntax import imports_in

KINDS = ("standard library", "third party", "not found")
RED = "#dc2626"  # readable on the background of Lab's light and dark theme


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

    def notes(self):
        """Return what the graph shows of a file besides its arrows, a list of str."""
        if self.fault:
            return [f"cannot be read, {self.fault}"]
        return [f"{kind}: {', '.join(names)}" for kind, names in self.outside.items() if names]


class ImportGraph:
    """The files of a folder and their imports: a diagram in JupyterLab, text everywhere else.

    modules: {name: Module}. cycles: lists such as ["api", "worker", "api"].
    """

    def __init__(self, folder, modules):
        self.folder, self.modules = folder, modules
        reached = {name: reachable(modules[name].own, self._own) for name in modules}
        self._circles = []  # sets of names that import each other, directly or through others
        for name in modules:
            if name in reached[name] and not any(name in circle for circle in self._circles):
                self._circles.append({other for other in reached[name] if name in reached[other]})
        self.cycles = [
            shortest_path(min(circle), min(circle), self._own) for circle in self._circles
        ]

    def imports(self):
        """Return [(importer, imported), ...] of the imports that happen when a file starts."""
        return [(name, other) for name, module in self.modules.items() for other in module.own]

    def in_a_cycle(self, importer, imported):
        """Tell whether this import is part of a cycle."""
        return any(importer in circle and imported in circle for circle in self._circles)

    def verdict(self):
        """Return a line for each cycle, or the one line that there is none."""
        return [f"CYCLE: {_files(cycle, ' → ')}" for cycle in self.cycles] or ["No cycle."]

    def mermaid(self):
        """Return the graph as the text of a Mermaid diagram; cycles are red, dashed and named."""
        ids = {name: f"file{number}" for number, name in enumerate(self.modules)}
        lines = [_box(ids[name], name, module) for name, module in self.modules.items()]
        cyclic = [pair for pair in self.imports() if self.in_a_cycle(*pair)]
        for pair in self.imports():
            importer, imported = (ids[name] for name in pair)
            lines.append(f"{importer} {'-- cycle -->' if pair in cyclic else '-->'} {imported}")
        for name, module in self.modules.items():
            lines += [f"{ids[name]} -. inside a function .-> {ids[to]}" for to in module.later]
        for number, pair in enumerate(self.imports()):
            if pair in cyclic:
                lines.append(f"linkStyle {number} stroke:{RED},stroke-dasharray:7 4,color:{RED}")
        return "\n".join([self._head(), *lines, f"classDef fault stroke:{RED},color:{RED}"])

    def __repr__(self):
        if not self.modules:
            missing = "Python files" if self.folder.is_dir() else "folder"
            return f"There is nothing to draw: no {missing} at {self.folder}"
        lines = [_describe(name, module) for name, module in self.modules.items()]
        return "\n".join(lines + self.verdict())

    def _repr_mimebundle_(self, **_):
        # No text/html beside it: JupyterLab would show that in place of the diagram.
        diagram = {"text/vnd.mermaid": self.mermaid()} if self.modules else {}
        return diagram | {"text/plain": repr(self)}

    def _head(self):
        """Return the lines that name the diagram and describe it for a screen reader."""
        title = json.dumps("; ".join(self.verdict()), ensure_ascii=False)
        description = repr(self).replace("{", "(").replace("}", ")")  # a brace would end it
        return (
            f"---\ntitle: {title}\n---\nflowchart TD\n"
            f"accTitle: Who imports whom in {self.folder.resolve().name}\naccDescr {{\n{description}\n}}"
        )

    def _own(self, name):
        return self.modules[name].own


def _box(node_id, name, module):
    label = "<br>".join([f"<b>{_escape(name)}.py</b>", *map(_escape, module.notes())])
    return f'{node_id}["{label}"]{":::fault" if module.fault else ""}'


def _escape(text):
    """Return text as a Mermaid label shows it literally, by the codes of its special characters."""
    return "".join(char if char.isalnum() or char in " .,:" else f"#{ord(char)};" for char in text)


def _describe(name, module):
    if module.fault:
        return f"{name}.py: {module.notes()[0]}"
    parts = [f"imports {_files(module.own) or 'none of these files'}"]
    if module.later:
        parts.append(f"inside a function: {_files(module.later)}")
    return f"{name}.py: {'; '.join(parts + module.notes())}"


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
    for imported in imports_in(tree):
        dotted = _absolute(imported, package)
        name = _own_name(dotted, names, package)
        if name:
            _add(module.later if imported.deferred else module.own, name)
        elif not _is_within(dotted, package):
            top = dotted.split(".")[0]
            _add(module.outside[_kind(top)], top)
    module.later = [name for name in module.later if name not in module.own]
    return module


def _absolute(imported, package):
    """Return the dotted name that an Import means in a package: ".jobs" is "jobs_kit.jobs"."""
    dotted = ".".join(filter(None, [imported.dotted, imported.name]))
    level = len(dotted) - len(dotted.lstrip("."))
    if level == 0:
        return dotted
    parents = package.split(".")
    return ".".join([*parents[: len(parents) - level + 1], dotted[level:]])


def _own_name(dotted, names, package):
    """Return the name of the file of the folder that a dotted name means, or None."""
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
