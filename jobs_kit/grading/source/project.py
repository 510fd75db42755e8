"""How do the modules of an answer hang together? Read from their trees; nothing is run.

    project = Project(answer)
    project.sites("jobs")            # what jobs.py defines, and where
    project.uses("api")              # what api.py uses of the other modules: jobs.add_job
    project.missing("api")           # names that are not there when their line runs
    project.path("jobs", "worker")   # the way from one to the other by imports
    project.resolve("worker", "q")   # ("jobs", "q"), however it was imported

A module goes by its name: "jobs" is jobs.py. A package of the answer is looked into for what the
modules take from it, as if it were one file; its own imports are not followed.
"""

import ast
import functools
import itertools
from dataclasses import dataclass

from pyflakes import messages
from pyflakes.checker import Checker

from jobs_kit.grading.expectations import CheckError
from jobs_kit.grading.source import syntax
from jobs_kit.grading.source.import_paths import reachable, shortest_path


@dataclass(frozen=True)
class Use:
    """A name of another module of the answer that is used. text: how, such as jobs.add_job.

    certain: the line fails if the name is not there (getattr() with a default does not).
    """

    module: str
    name: str
    line: int
    text: str
    certain: bool = True


@dataclass(frozen=True)
class Missing:
    """A name that is not there when its line runs. perhaps: an import of `*` may bring it."""

    name: str
    line: int
    perhaps: bool = False


class Project:
    """The modules of an answer. main: those that the exercise names; trees: {module: its tree}.

    Raises CheckError when one of the main files, or one that they import, is not Python.
    """

    def __init__(self, source):
        self.main = [file.removesuffix(".py") for file in source.exercise.files]
        self.trees = {name: source.tree(f"{name}.py") for name in self.main}
        broken, packages = {}, {}
        for file in source.modules():
            folder, within, _ = file.rpartition("/")
            try:
                tree = source.tree(file)
            except CheckError as fault:
                broken[folder or file.removesuffix(".py")] = fault
                continue
            if within:
                packages.setdefault(folder, {})[file] = tree
            else:
                self.trees.setdefault(file.removesuffix(".py"), tree)
        self._packages = packages.keys() - self.trees.keys()
        self.trees |= {name: syntax.package_of(name, packages[name]) for name in self._packages}
        read = {name: _read(tree) for name, tree in self.trees.items()}
        self._imports = {name: imports for name, (imports, _) in read.items()}
        self._bound = {name: bound for name, (_, bound) in read.items()}
        for one in [one for name in self.reached() for one in self.imports(name)]:
            if one.module in broken:
                raise broken[one.module]

    # Imports

    def imports(self, module):
        """Return every Import of a module."""
        return self._imports[module]

    def imported(self, module, deferred=True):
        """Return the modules of the answer that a module imports, those in functions if wanted."""
        found = [one.module for one in self.imports(module) if deferred or not one.deferred]
        return [n for n in dict.fromkeys(found) if n in self.trees and n not in self._packages]

    def reached(self):
        """Return the main modules and all that they import; those that need the fewest first."""
        reached = reachable(self.main, self.imported)
        needs = {module: reachable([module], self.imported) for module in reached}
        return sorted(needs, key=lambda module: len(needs[module]))

    def path(self, start, end, deferred=True):
        """Return the shortest path from a module to another by imports, both included, or None."""
        return shortest_path(start, end, lambda module: self.imported(module, deferred))

    def steps(self, way):
        """Return the lines of a way that path() has found: ["jobs.py, line 3: import api", ...]."""
        steps = []
        for module, following in itertools.pairwise(way):
            ones = [one for one in self.imports(module) if one.module == following]
            one = min(ones, key=lambda one: one.deferred)
            steps.append(f"{module}.py, line {one.line}: {one}")
        return steps

    # Names

    def sites(self, module):
        """Return the Sites of what a module defines."""
        return list(syntax.sites_in(module, self.trees[module].body))

    def bound(self, module):
        """Return {name: the Import or the node that binds it last} of a module."""
        return self._bound[module]

    def names(self, module):
        """Return the names that a module has once it is imported; None if that can't be known."""
        return self._names(module, (), set(self.bound(module)))

    def exports(self, module, seen=()):
        """Return the names that `from module import *` brings; None if that can't be known."""
        if module not in self.trees:
            return None
        if "__all__" in self.bound(module):
            return syntax.listed_in(self.bound(module)["__all__"])
        public = {name for name in self.bound(module) if not name.startswith("_")}
        return self._names(module, seen, public)

    def _names(self, module, seen, names):
        if syntax.is_dynamic(self.trees[module]):
            return None
        for star in self._stars(module):
            more = set() if star in seen else self.exports(star, (*seen, module))
            if more is None:
                return None
            names |= more
        return names

    def _stars(self, module):
        return [one.module for one in self.imports(module) if one.name == "*"]

    def resolve(self, module, name, seen=()):
        """Return (module, name) of where a name of a module is defined; None if elsewhere.

        The name of a module resolves to (module, None).
        """
        if (module, name) in seen or module not in self.trees:
            return None
        seen = (*seen, (module, name))
        binding = self.bound(module).get(name)
        if isinstance(binding, syntax.Import):
            return self.resolve_import(binding, seen)
        if isinstance(binding, ast.Assign):
            return self._resolve_chain(module, binding.value, seen) or (module, name)
        if binding is not None:
            return module, name
        for star in self._stars(module):
            if name in (self.exports(star) or ()):
                return self.resolve(star, name, seen)
        return None

    def resolve_import(self, one, seen=()):
        """Return what resolve() returns, for an Import."""
        if one.module not in self.trees or one.name == "*":
            return None
        return self.resolve(one.module, one.name, seen) if one.name else (one.module, None)

    def _resolve_chain(self, module, node, seen):
        """Resolve the value of `q = jobs.q`."""
        if isinstance(node, ast.Name):
            return self.resolve(module, node.id, seen)
        if isinstance(node, ast.Attribute):
            base = self._resolve_chain(module, node.value, seen)
            return self.resolve(base[0], node.attr, seen) if base and base[1] is None else None
        return None

    def reaches(self, module, target):
        """Tell whether some import of a module leads to what resolves to `target`."""
        todo = []
        for one in self.imports(module):
            names = self.exports(one.module) or () if one.name == "*" else ()
            todo += [self.resolve(one.module, name) for name in names]
            todo.append(self.resolve_import(one))
        seen = set()
        for found in todo:
            if found == target:
                return True
            if found and found[1] is None and found not in seen:
                seen.add(found)
                todo += [self.resolve(found[0], name) for name in self.bound(found[0])]
        return False

    def uses(self, module):
        """Return the Uses that a module makes of names of the other modules."""
        return self._look(module).uses

    def dots(self, module):
        """Return [(name, what stands after its dot, line), ...] of a module's own names."""
        return self._look(module).dots

    def stored(self, module):
        """Return the attributes that a module sets on anything: its code may bring them about."""
        nodes = ast.walk(self.trees[module])
        return {
            node.attr
            for node in nodes
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }

    def _look(self, module):
        visitor = _Visitor(self, module)
        visitor.visit(self.trees[module])
        return visitor

    def missing(self, module):
        """Return what is Missing in a module."""
        known = [self.exports(star) for star in self._stars(module)]
        found = []
        for one in Checker(self.trees[module], f"{module}.py").messages:
            if isinstance(one, messages.UndefinedName | messages.UndefinedLocal):
                found.append(Missing(one.message_args[0], one.lineno))
            elif isinstance(one, messages.ImportStarUsage):
                name = one.message_args[0]
                if not any(name in (names or ()) for names in known):
                    found.append(Missing(name, one.lineno, None in known))
        return found

    def owner(self, name):
        """Return (module, name) of a definition that is spelled nearly like a name, or None."""

        def plain(word):
            return word.strip("_").lower() or word

        spelled = [
            (module, other)
            for module in self.reached()
            for other, binding in self.bound(module).items()
            if plain(other) == plain(name) and not isinstance(binding, syntax.Import)
        ]
        return min(spelled, key=lambda found: found[1] != name, default=None)


class _Visitor(ast.NodeVisitor):
    """Walks through one module. scopes: {name: Import or None} of each function around a node."""

    def __init__(self, project, module):
        self.project, self.module, self.scopes = project, module, []
        self.uses, self.dots = [], []

    def visit_FunctionDef(self, node):
        for one in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if one:
                self.visit(one)
        self._inside(node.body, syntax.locals_of(node))

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        for one in (*node.args.defaults, *node.args.kw_defaults):
            if one:
                self.visit(one)
        self._inside([node.body], dict.fromkeys(syntax.arguments_of(node)))

    def visit_ListComp(self, node):
        targets = [name for part in node.generators for name in syntax.stored_in(part.target)]
        self._inside(ast.iter_child_nodes(node), dict.fromkeys(targets))

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_Attribute(self, node):
        target = self._module_of(node.value)
        if target and isinstance(node.ctx, ast.Load):
            self._add(target, node.attr, node, ast.unparse(node))
        if isinstance(node.value, ast.Name) and not self._is_local(node.value.id):
            self.dots.append((node.value.id, node.attr, node.lineno))
        self.generic_visit(node)

    def visit_ImportFrom(self, node):
        for one in syntax.imports_in(node):
            if one.name not in (None, "*"):
                self._add(one.module, one.name, node, str(one))

    def visit_Call(self, node):
        named = node.args[1] if len(node.args) > 1 else None
        if getattr(node.func, "id", None) == "getattr" and isinstance(named, ast.Constant):
            target = self._module_of(node.args[0])
            if target and isinstance(named.value, str):
                self._add(target, named.value, node, ast.unparse(node), len(node.args) == 2)
        self.generic_visit(node)

    def visit_Name(self, node):
        """Look for a private name of another module, used as if it stood in this one."""
        known = self._is_local(node.id) or node.id in self.project.bound(self.module)
        if syntax.is_private(node.id) and not known:
            for module in self.project.reached():
                if node.id in self.project.bound(module):
                    self._add(module, node.id, node, node.id, False)

    def _add(self, module, name, node, text, certain=True):
        if module in self.project.trees and module != self.module:
            self.uses.append(Use(module, name, node.lineno, text, certain))

    def _inside(self, nodes, names):
        self.scopes.append(names)
        for node in nodes:
            self.visit(node)
        self.scopes.pop()

    def _is_local(self, name):
        return any(name in scope for scope in self.scopes)

    def _module_of(self, node):
        """Return the module of the answer that an expression stands for, or None."""
        found = None
        if isinstance(node, ast.Name) and self._is_local(node.id):
            own = next(scope[node.id] for scope in reversed(self.scopes) if node.id in scope)
            found = own and self.project.resolve_import(own)
        elif isinstance(node, ast.Name):
            found = self.project.resolve(self.module, node.id)
            if node.id not in self.project.bound(self.module) and node.id in self.project.trees:
                found = found or (node.id, None)  # as if it were imported
        elif isinstance(node, ast.Attribute):
            base = self._module_of(node.value)
            found = base and self.project.resolve(base, node.attr)
        elif isinstance(node, ast.Call):
            name = syntax.imported_by_call(node)
            return name if name in self.project.trees else None
        return found[0] if found and found[1] is None else None


@functools.lru_cache(maxsize=64)  # each check of an exercise asks for the same trees
def _read(tree):
    """Return (imports, what is bound) of a module; what never runs is dropped from its tree."""
    syntax.drop_dead_branches(tree)
    syntax.drop_annotations(tree)
    return syntax.imports_in(tree), syntax.bound_in(tree.body)
