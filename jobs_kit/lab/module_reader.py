"""Read a module's source without running it: what is public in it, what is private, who calls what.

datetime = read_module("datetime")
print(datetime.source("date.toordinal"))
datetime.callers("_is_leap")
used_in("generate_jid", "../exercises/jobs_service")
"""

import ast
import re
import textwrap
from importlib.util import find_spec
from pathlib import Path

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def read_module(name):
    """Return the ModuleSource of a module; of one that is written in C, that of its Python twin.

    Raises ModuleNotFoundError where there is no source in Python.
    """
    for candidate in (f"_py{name}", name):  # _pydatetime, from Python 3.12 on
        spec = find_spec(candidate)
        if spec and spec.origin and spec.origin.endswith(".py"):
            return ModuleSource(Path(spec.origin).read_text(encoding="utf-8"))
    raise ModuleNotFoundError(f"there is no Python source of a module {name!r}", name=name)


def used_in(name, folder):
    """Return the names of the Python files of a folder, in order, in which a name occurs."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    files = sorted(Path(folder).glob("*.py"))
    return [file.name for file in files if word.search(file.read_text(encoding="utf-8"))]


class ModuleSource:
    """The text of one module, and its syntax tree."""

    def __init__(self, text):
        self._lines, self._tree = text.splitlines(), ast.parse(text)
        self._classes = {node.name: node for node in self._tree.body if _is_class(node)}

    def names(self, kind, of=None):
        """Return the names of a kind, in the order of the file.

        kind: "function", "class" or "variable" at the top level; "method" of the class `of`.
        """
        if kind == "variable":
            targets = [t for node in self._tree.body for t in getattr(node, "targets", ())]
            names = (target.id for target in targets if isinstance(target, ast.Name))
            return list(dict.fromkeys(names))
        if kind == "class":
            return list(self._classes)
        body = self._classes[of].body if kind == "method" else self._tree.body
        return [node.name for node in body if isinstance(node, FUNCTIONS)]

    def source(self, name):
        """Return the text of a function, a class or a method ("date.toordinal")."""
        node = self._find(name)
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        return textwrap.dedent("\n".join(self._lines[first - 1 : node.end_lineno]))

    def callers(self, name):
        """Return the names of the functions and methods in which a function or method is called."""
        holders = [(node.name, node) for node in self._tree.body if isinstance(node, FUNCTIONS)]
        for class_name, class_node in self._classes.items():
            methods = (node for node in class_node.body if isinstance(node, FUNCTIONS))
            holders += [(f"{class_name}.{node.name}", node) for node in methods]
        return [holder for holder, node in holders if name in _called_in(node)]

    def _find(self, name):
        class_name, _, member = name.rpartition(".")
        body = self._classes[class_name].body if class_name else self._tree.body
        for node in body:
            if getattr(node, "name", None) == member:
                return node
        raise KeyError(f"the module defines no {name}")


def _is_class(node):
    return isinstance(node, ast.ClassDef)


def _called_in(node):
    calls = (part.func for part in ast.walk(node) if isinstance(part, ast.Call))
    return {getattr(function, "id", None) or getattr(function, "attr", None) for function in calls}
