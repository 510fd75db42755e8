"""Find which names of an answer lead to a queue: the queue itself, or what has or returns it.

q = HotQueue("queue")          class Store: q = HotQueue("queue")          def queue(): ...
"""

import ast

from jobs_kit.grading.source import syntax


def find_carriers(project, modules, kind):
    """Return {(module, name)} of what leads to an object of a library's class.

    project: a Project. modules: the names of those in which to look. kind: the class, such as
    "HotQueue"; the answer may not import it yet.
    """
    carriers = set()
    while True:
        visitor = _Search(project, kind, carriers)
        found = {
            (module, name)
            for module in modules
            for name, node in project.bound(module).items()
            if visitor.leads_there(module, node)
        }
        if found == carriers:
            return carriers
        carriers = found


class _Search:
    """Looks into one definition. carriers: what is known so far."""

    def __init__(self, project, kind, carriers):
        self._project, self._kind, self._carriers = project, kind, carriers

    def leads_there(self, module, node):
        if isinstance(node, syntax.FUNCTIONS):
            returns = [part for part in ast.walk(node) if isinstance(part, ast.Return)]
            return any(part.value for part in returns) and self._names_it(module, node)
        if isinstance(node, ast.Assign | ast.AnnAssign):
            return self._names_it(module, node.value)
        return isinstance(node, ast.ClassDef) and self._names_it(module, node)

    def _names_it(self, module, node):
        return any(self._is_one(module, part) for part in ast.walk(node))

    def _is_one(self, module, node):
        if not isinstance(node, ast.Name | ast.Attribute):
            return False
        name = node.id if isinstance(node, ast.Name) else node.attr
        bound = self._project.bound(module).get(name)
        if name == self._kind or getattr(bound, "name", None) == self._kind:
            return True
        return self._project.resolve_expression(module, node) in self._carriers
