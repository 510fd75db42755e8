"""Read from the syntax tree of one module what it defines, binds and imports; nothing is run.

project.py puts the modules of an answer together.
"""

import ast
from dataclasses import dataclass

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
SCOPES = FUNCTIONS | ast.ClassDef | ast.Lambda
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
DYNAMIC = {"exec", "globals", "setattr", "__getattr__"}  # code that uses these may bind anything
SERVERS = {"run", "serve", "run_simple", "make_server"}  # what takes a Flask app and serves it


@dataclass(frozen=True)
class Site:
    """A place where a name is defined; the line that serves the API is named "app.run".

    inside: the function or class around it, or None. weak: it only wraps what is there, gives it
    another name (`q = jobs.q`), or is None. branches: those of an if or a try around it.
    """

    module: str
    name: str
    line: int
    inside: str | None = None
    branches: tuple = ()
    weak: bool = False

    @property
    def plain_name(self):
        """The name without the underscores before it."""
        return self.name.lstrip("_")

    def __str__(self):
        return f"{self.module}.py, line {self.line}"

    def excludes(self, other):
        """Tell whether only one of the two can run, as in the branches of an if or a try."""
        mine, theirs = dict(self.branches), dict(other.branches)
        return any(mine[node] != theirs[node] for node in mine.keys() & theirs.keys())


@dataclass(frozen=True)
class Import:
    """One thing that is imported. name: None for `import module`, "*" for all that is public.

    dotted: the module as it is written, with the dots of a relative import: "store.keys", ".jobs".
    bound: what it is called here, if anything. deferred: a function imports it when it is called.
    """

    dotted: str
    name: str | None
    bound: str | None
    line: int
    deferred: bool = False

    @property
    def module(self):
        """The file or package next to the importing file that this names: "store", "jobs"."""
        return self.dotted.lstrip(".").partition(".")[0]

    def __str__(self):
        text = f"from {self.module} import {self.name}" if self.name else f"import {self.module}"
        renamed = self.bound not in (None, self.name or self.module)
        return f"{text} as {self.bound}" if renamed else text


def imports_in(tree):
    """Return every Import below a node, calls of import_module() and __import__() too."""
    imports, todo = [], [(tree, False)]
    for node, deferred in todo:
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports += _imports_of(node, deferred)
        elif isinstance(node, ast.Call) and (name := imported_by_call(node)):
            imports.append(Import(name, None, None, node.lineno, deferred))
        deferred = deferred or isinstance(node, FUNCTIONS | ast.Lambda)
        todo += [(child, deferred) for child in ast.iter_child_nodes(node)]
    return sorted(imports, key=lambda statement: statement.line)


def _imports_of(node, deferred=False):
    for alias in node.names:
        if isinstance(node, ast.Import):
            bound = alias.asname or alias.name.partition(".")[0]
            yield Import(alias.name, None, bound, node.lineno, deferred)
        elif node.module is None:  # from . import jobs
            dotted = "." * node.level + alias.name
            yield Import(dotted, None, alias.asname or alias.name, node.lineno, deferred)
        else:
            dotted = "." * node.level + node.module
            bound = None if alias.name == "*" else alias.asname or alias.name
            yield Import(dotted, alias.name, bound, node.lineno, deferred)


def imported_by_call(node):
    """Return the name of the module that a call imports, import_module("jobs"), or None."""
    name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
    first = node.args[0] if node.args else None
    if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
        return first.value if isinstance(first.value, str) else None
    return None


def package_of(name, files):
    """Return one tree for a package, as if it were one module. files: {"store/keys.py": tree}.

    Each of its files is a name for it: `from store import keys` leads to what keys.py defines.
    """
    body = []
    for file, tree in files.items():
        stem = file.rpartition("/")[2].removesuffix(".py")
        body.append(ast.Import([ast.alias(name, stem)], lineno=1, col_offset=0))
        body += [node for node in tree.body if not _is_of_package(node, name)]
    return ast.fix_missing_locations(ast.Module(body, []))


def _is_of_package(node, name):
    """Tell whether a statement imports one file of a package for another one."""
    if not isinstance(node, ast.ImportFrom):
        return False
    return bool(node.level) or (node.module or "").partition(".")[0] == name


def sites_in(module, body, inside=None, branches=()):
    """Yield the Sites of what the statements of a module define, in functions and classes too."""
    for node in body:
        if isinstance(node, FUNCTIONS | ast.ClassDef):
            yield Site(module, node.name, node.lineno, inside, branches)
            yield from sites_in(module, node.body, node.name, branches)
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in dict.fromkeys(name for target in targets for name in stored_in(target)):
                weak = _is_weak(node.value, name)
                yield Site(module, name, node.lineno, inside, branches, weak)
        if any(map(_serves, _expressions(node))):
            yield Site(module, "app.run", node.lineno, inside, branches)
        for branch, part in _parts(node):
            more = () if branch is None else ((id(node), branch),)
            yield from sites_in(module, part, inside, branches + more)


def _parts(node):
    """Yield (branch, its statements) of a statement; of two different branches only handler runs."""
    if isinstance(node, ast.If):
        yield from enumerate((node.body, node.orelse))
    elif isinstance(node, ast.Match):
        yield from enumerate(case.body for case in node.cases)
    elif isinstance(node, ast.Try):
        yield from enumerate(
            [node.body + node.orelse, *(handler.body for handler in node.handlers)]
        )
        yield None, node.finalbody
    elif isinstance(node, ast.With | ast.AsyncWith):
        yield None, node.body
    elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
        yield None, node.body + node.orelse


def _expressions(node):
    """Yield every part of a statement's own expressions, without the statements in it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr | ast.withitem):
            yield from ast.walk(child)


def _serves(node):
    """Tell whether an expression starts the API: app.run, create_app().run, serve(app, ...)."""
    if isinstance(node, ast.Attribute) and node.attr == "run":
        base = node.value.func if isinstance(node.value, ast.Call) else node.value
        return isinstance(base, ast.Name) and base.id.strip("_") in ("app", "create_app")
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        return name in SERVERS and any(
            isinstance(argument, ast.Name) and argument.id.strip("_") == "app"
            for argument in node.args
        )
    return False


def _is_weak(value, name):
    if isinstance(value, ast.Name | ast.Attribute):
        return True
    if isinstance(value, ast.Constant) and value.value is None:
        return True
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))


def stored_in(node):
    """Yield the names that a target binds; app.config["X"] binds none."""
    for name in ast.walk(node):
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
            yield name.id


def bound_in(body):
    """Return {name: the Import or the node that binds it last} of a module's statements."""
    bound = {}
    todo = list(reversed(body))
    while todo:
        node = todo.pop()
        if isinstance(node, FUNCTIONS | ast.ClassDef):
            bound[node.name] = node
            for inner in ast.walk(node):
                if isinstance(inner, ast.Global):
                    bound |= {name: inner for name in inner.names if name not in bound}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {
                statement.bound: statement for statement in _imports_of(node) if statement.bound
            }
        elif isinstance(node, ast.Assign):
            bound |= dict.fromkeys((n for target in node.targets for n in stored_in(target)), node)
            todo.append(node.value)
        elif isinstance(node, ast.Name):
            bound |= dict.fromkeys(stored_in(node), node)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            bound[node.name] = node
            todo += reversed(list(ast.iter_child_nodes(node)))
        elif isinstance(node, ast.AnnAssign) and node.value is None:
            continue
        elif not isinstance(node, SCOPES | COMPREHENSIONS):
            todo += reversed(list(ast.iter_child_nodes(node)))
    return bound


def locals_of(function):
    """Return {name: its Import, or None} of the names that are local to a function."""
    names, shared = dict.fromkeys(arguments_of(function)), set()
    todo = list(function.body)
    for node in todo:
        if isinstance(node, FUNCTIONS | ast.ClassDef):
            names[node.name] = None
        elif isinstance(node, ast.Global | ast.Nonlocal):
            shared.update(node.names)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {
                statement.bound: statement for statement in _imports_of(node) if statement.bound
            }
        elif isinstance(node, ast.Name):
            names |= dict.fromkeys(stored_in(node))
        if not isinstance(node, SCOPES | COMPREHENSIONS):
            todo += ast.iter_child_nodes(node)
    return {name: statement for name, statement in names.items() if name not in shared}


def arguments_of(function):
    """Return the names of the parameters of a function or a lambda."""
    node = function.args
    arguments = [*node.posonlyargs, *node.args, node.vararg, *node.kwonlyargs, node.kwarg]
    return [argument.arg for argument in arguments if argument]


def is_dynamic(tree):
    """Tell whether a module may bind names that cannot be seen in its text."""
    return any(
        (isinstance(node, ast.Name) and node.id in DYNAMIC)
        or (isinstance(node, FUNCTIONS) and node.name in DYNAMIC)
        for node in ast.walk(tree)
    )


def listed_in(node):
    """Return the strings of a literal list, such as that of __all__, or None."""
    try:
        return {str(name) for name in ast.literal_eval(node.value)}
    except (AttributeError, ValueError, TypeError):
        return None


def drop_dead_branches(tree):
    """Remove from a tree what is under `if False:` or `if TYPE_CHECKING:`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and _is_never_true(node.test):
            node.body = [ast.copy_location(ast.Pass(), node)]


def _is_never_true(test):
    if isinstance(test, ast.Constant):
        return not test.value
    return "TYPE_CHECKING" in (getattr(test, "id", None), getattr(test, "attr", None))


def drop_annotations(tree):
    """Remove from a tree the annotations that Python never evaluates."""
    futures = [imported for imported in imports_in(tree) if imported.module == "__future__"]
    late = any(imported.name == "annotations" for imported in futures)
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            annotation = getattr(node, field, None)
            if annotation is None:
                continue
            if late:
                setattr(node, field, ast.copy_location(ast.Constant(None), annotation))
            for part in ast.walk(annotation):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    part.value = None


def counted(sites, names=None):
    """Return the Sites at which a definition can be reached, other names for it left out.

    names: those inside of which it counts no more; None if it counts at the top level alone.
    """
    top = [site for site in sites if site.inside is None]
    if not top and names is not None:
        top = [site for site in sites if site.inside.lstrip("_") not in names]
    kept = []
    for site in [site for site in top if not site.weak] or top:
        if not any(site.excludes(other) for other in kept):
            kept.append(site)
    return kept


def is_blank(definition):
    """Tell whether a definition contains only `...`, pass and a docstring."""
    return all(
        isinstance(node, ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in getattr(definition, "body", ())
    )


def is_private(name):
    """Tell whether a name says that it is for its own module alone."""
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))
