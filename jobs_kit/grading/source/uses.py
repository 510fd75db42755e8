"""Find where a module uses names of the other modules of an answer."""

import ast
from dataclasses import dataclass

from jobs_kit.grading.source import syntax


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


def find_uses(project, module):
    """Return (uses, dots) of a module of a Project.

    uses: a list of Use. dots: [(name, attribute, line), ...] of the module's own names.
    """
    visitor = _UseVisitor(project, module)
    visitor.visit(project.trees[module])
    return visitor.uses, visitor.dots


class _UseVisitor(ast.NodeVisitor):
    """Visits one module. scopes: {name: Import or None} of each function around a node."""

    def __init__(self, project, module):
        self.project, self.module, self.scopes = project, module, []
        self.uses, self.dots = [], []

    def visit_FunctionDef(self, node):
        for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if part:
                self.visit(part)
        self._inside(node.body, syntax.locals_of(node))

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node):
        for part in (*node.args.defaults, *node.args.kw_defaults):
            if part:
                self.visit(part)
        self._inside([node.body], dict.fromkeys(syntax.arguments_of(node)))

    def visit_ListComp(self, node):
        targets = [name for part in node.generators for name in syntax.stored_in(part.target)]
        self._inside(ast.iter_child_nodes(node), dict.fromkeys(targets))

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    def visit_Attribute(self, node):
        target = self._module_of(node.value)
        if target and isinstance(node.ctx, ast.Load):
            self._add(target, node.attr, node, ast.unparse(node))
        if isinstance(node.value, ast.Name) and not self._is_local(node.value.id):
            self.dots.append((node.value.id, node.attr, node.lineno))
        self.generic_visit(node)

    def visit_ImportFrom(self, node):
        for statement in syntax.imports_in(node):
            if statement.name not in (None, "*"):
                self._add(statement.module, statement.name, node, str(statement))

    def visit_Call(self, node):
        named = node.args[1] if len(node.args) > 1 else None
        if getattr(node.func, "id", None) == "getattr" and isinstance(named, ast.Constant):
            target = self._module_of(node.args[0])
            if target and isinstance(named.value, str):
                self._add(target, named.value, node, ast.unparse(node), len(node.args) == 2)
        self.generic_visit(node)

    def visit_Name(self, node):
        """Look for a private name of another module, used as if this one defined it."""
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
        """Return the module of the answer that an expression means, or None."""
        place = None
        if isinstance(node, ast.Name) and self._is_local(node.id):
            own = next(scope[node.id] for scope in reversed(self.scopes) if node.id in scope)
            place = own and self.project.resolve_import(own)
        elif isinstance(node, ast.Name):
            place = self.project.resolve(self.module, node.id)
            if node.id not in self.project.bound(self.module) and node.id in self.project.trees:
                place = place or (node.id, None)  # as if it were imported
        elif isinstance(node, ast.Attribute):
            base = self._module_of(node.value)
            place = base and self.project.resolve(base, node.attr)
        elif isinstance(node, ast.Call):
            name = syntax.imported_by_call(node)
            return name if name in self.project.trees else None
        return place[0] if place and place[1] is None else None
