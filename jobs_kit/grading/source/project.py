"""Find how the modules of an answer depend on each other; nothing is run.

    project = Project(answer)
    project.sites("jobs")            # what jobs.py defines, and where
    project.uses("api")              # what api.py uses of the other modules: jobs.add_job
    project.missing("api")           # names that are not there when their line runs
    project.path("jobs", "worker")   # the shortest path from one to the other by imports
    project.resolve("worker", "q")   # ("jobs", "q"), however it was imported

A module goes by its name: "jobs" is jobs.py. A package of the answer is looked into for what the
modules take from it, as if it were one file; its own imports are not followed.
"""

import ast
import functools
import itertools
import sys
from dataclasses import dataclass

from pyflakes import messages
from pyflakes.checker import Checker

from jobs_kit.grading.expectations import CheckError
from jobs_kit.grading.source import syntax
from jobs_kit.grading.source.carriers import find_carriers
from jobs_kit.grading.source.import_paths import reachable, shortest_path
from jobs_kit.grading.source.uses import find_uses

PACKAGES = {"flask", "hotqueue", "redis", "werkzeug", "requests", "matplotlib", "numpy"}


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
        for statement in [statement for name in self.reached() for statement in self.imports(name)]:
            if statement.module in broken:
                raise broken[statement.module]

    # Imports

    def imports(self, module):
        """Return every Import of a module."""
        return self._imports[module]

    def imported(self, module, deferred=True):
        """Return the modules of the answer that a module imports, those in functions if wanted."""
        modules = [
            statement.module
            for statement in self.imports(module)
            if deferred or not statement.deferred
        ]
        return [n for n in dict.fromkeys(modules) if n in self.trees and n not in self._packages]

    def reached(self):
        """Return the main modules and all that they import; those that need the fewest first."""
        reached = reachable(self.main, self.imported)
        needs = {module: reachable([module], self.imported) for module in reached}
        return sorted(needs, key=lambda module: len(needs[module]))

    def path(self, start, end, deferred=True):
        """Return the shortest path from a module to another by imports, both included, or None."""
        return shortest_path(start, end, lambda module: self.imported(module, deferred))

    def steps(self, path):
        """Return the imports of a path, as path() returns it: ["jobs.py, line 3: import api", ...]."""
        steps = []
        for module, following in itertools.pairwise(path):
            statements = [one for one in self.imports(module) if one.module == following]
            statement = min(statements, key=lambda statement: statement.deferred)
            steps.append(f"{module}.py, line {statement.line}: {statement}")
        return steps

    # Names

    def sites(self, module):
        """Return the Sites of what a module defines."""
        return list(syntax.sites_in(module, self.trees[module].body))

    def sites_of(self, names, may_be_inside=()):
        """Return {name: its Sites, with or without underscores} of definitions, those that count.

        may_be_inside: names that a function may hold, if it is itself none of the names.
        """
        reached = self.reached()
        # a module that isn't imported yet counts only for names that no other module defines
        groups = reached, [module for module in self.trees if module not in reached]
        groups = [[site for module in group for site in self.sites(module)] for group in groups]
        found = {}
        for name in names:
            holders = names if name in may_be_inside else None
            near, far = ([site for site in sites if site.plain_name == name] for sites in groups)
            found[name] = syntax.counted(near, holders) or syntax.counted(far, holders)
        return found

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
        return [statement.module for statement in self.imports(module) if statement.name == "*"]

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
            return self.resolve_expression(module, binding.value, seen) or (module, name)
        if binding is not None:
            return module, name
        for star in self._stars(module):
            if name in (self.exports(star) or ()):
                return self.resolve(star, name, seen)
        return None

    def resolve_import(self, statement, seen=()):
        """Return what resolve() returns, for an Import."""
        if statement.module not in self.trees or statement.name == "*":
            return None
        return (
            self.resolve(statement.module, statement.name, seen)
            if statement.name
            else (statement.module, None)
        )

    def resolve_expression(self, module, node, seen=()):
        """Return what resolve() returns, for an expression such as the value of `q = jobs.q`."""
        if isinstance(node, ast.Name):
            return self.resolve(module, node.id, seen)
        if isinstance(node, ast.Attribute):
            base = self.resolve_expression(module, node.value, seen)
            return self.resolve(base[0], node.attr, seen) if base and base[1] is None else None
        return None

    def reaches(self, module, target):
        """Tell whether some import of a module leads to what resolves to `target`."""
        places = []
        for statement in self.imports(module):
            names = self.exports(statement.module) or () if statement.name == "*" else ()
            places += [self.resolve(statement.module, name) for name in names]
            places.append(self.resolve_import(statement))
        seen = set()
        for place in places:
            if place == target:
                return True
            if place and place[1] is None and place not in seen:
                seen.add(place)
                places += [self.resolve(place[0], name) for name in self.bound(place[0])]
        return False

    def uses(self, module):
        """Return the Uses that a module makes of names of the other modules."""
        return find_uses(self, module)[0]

    def dots(self, module):
        """Return [(name, attribute, line), ...] of a module's own names."""
        return find_uses(self, module)[1]

    def stored(self, module):
        """Return the attributes that a module sets on anything: its code may create them."""
        nodes = ast.walk(self.trees[module])
        return {
            node.attr
            for node in nodes
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }

    def missing(self, module):
        """Return what is Missing in a module."""
        known = [self.exports(star) for star in self._stars(module)]
        missing = []
        for message in Checker(self.trees[module], f"{module}.py").messages:
            if isinstance(message, messages.UndefinedName | messages.UndefinedLocal):
                missing.append(Missing(message.message_args[0], message.lineno))
            elif isinstance(message, messages.ImportStarUsage):
                name = message.message_args[0]
                if not any(name in (names or ()) for names in known):
                    missing.append(Missing(name, message.lineno, None in known))
        return missing

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
        return min(spelled, key=lambda place: place[1] != name, default=None)

    def place_of(self, name):
        """Describe where a name probably is: " (it is in jobs.py)", or ""."""
        if name in self.trees:
            return f" (there is a file {name}.py)"
        owner = self.owner(name)
        if owner and owner[1] == name:
            return f" (it is in {owner[0]}.py)"
        return f" (there is {owner[1]} in {owner[0]}.py)" if owner else ""

    def hides_a_package(self, module):
        """Tell whether a file of this name would be imported instead of a package."""
        return module in sys.stdlib_module_names or module in PACKAGES

    def carriers_of(self, kind, but=()):
        """Return {(module, name)} of what leads to an object of a library's class.

        kind: such as "HotQueue". but: modules in which not to look.
        """
        return find_carriers(self, [name for name in self.reached() if name not in but], kind)

    def sites_of_carriers(self, kind, name):
        """Return the Sites of the classes and functions that lead to such an object, as this name."""
        places = [(module, self.bound(module)[own]) for module, own in self.carriers_of(kind)]
        scopes = [(module, node) for module, node in places if isinstance(node, syntax.SCOPES)]
        return [syntax.Site(module, name, node.lineno) for module, node in scopes]

    def queues_made_in(self, module):
        """Return [(name of the queue or None, line), ...] of the HotQueues that a module makes."""
        called = {"HotQueue"}
        called |= {item.bound for item in self.imports(module) if item.name == "HotQueue"}
        return [
            (getattr(node.args[0], "value", None) if node.args else None, node.lineno)
            for node in ast.walk(self.trees[module])
            if isinstance(node, ast.Call)
            and (getattr(node.func, "id", None) or getattr(node.func, "attr", None)) in called
        ]


@functools.lru_cache(maxsize=64)  # each check of an exercise asks for the same trees
def _read(tree):
    """Return (imports, what is bound) of a module; what never runs is dropped from its tree."""
    syntax.drop_dead_branches(tree)
    syntax.drop_annotations(tree)
    return syntax.imports_in(tree), syntax.bound_in(tree.body)
