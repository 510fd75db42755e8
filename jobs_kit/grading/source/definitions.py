"""Find what a file defines at its top level, and compare definitions as syntax trees.

A name counts the same with and without its leading underscores, and as a method of a class: where a
helper is and who may call it is for another exercise than what it does.
"""

import ast

BLOCKS = ("body", "orelse", "handlers", "finalbody")


def defined_in(tree):
    """Yield (name, node) of what a module defines at its top level; app.run() is "app.run"."""
    for node in _top_level(tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in [name for target in targets for name in ast.walk(target)]:
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                    yield name.id, node
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            function = node.value.func
            if isinstance(function, ast.Attribute) and function.attr == "run":
                yield f"{ast.unparse(function.value)}.run", node


def _top_level(body):
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            for block in BLOCKS:
                yield from _top_level(getattr(node, block, []))


def definitions_of(text):
    """Return {name without underscore: node} of what the text of a module defines."""
    return {public_name(name): node for name, node in defined_in(ast.parse(text))}


def methods_in(tree):
    """Yield ("Store.save_job", node) of each method of the classes at the top level of a module."""
    for node in _top_level(tree.body):
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{method.name}", method


def public_name(name):
    """Return a name without its class and without the underscores that make it private."""
    name = name if name == "app.run" else name.rpartition(".")[2]
    return name if name.endswith("__") else name.lstrip("_")


def are_equal(node, other):
    """Tell whether two definitions differ in docstrings and underscores at most. None equals None."""
    return _comparable(node) == _comparable(other)


def _comparable(node):
    """Return a tree as text, names without underscore, docstrings left out."""
    if node is None:
        return None
    return ast.dump(_Simplifier().visit(ast.parse(ast.unparse(node))))


class _Simplifier(ast.NodeTransformer):
    def visit_Name(self, node):
        return ast.Name(public_name(node.id), node.ctx)

    def visit_FunctionDef(self, node):
        node.name = public_name(node.name)
        if len(node.body) > 1 and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        return self.generic_visit(node)
