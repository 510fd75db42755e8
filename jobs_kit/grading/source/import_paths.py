"""Paths along imports: what a module reaches, and the shortest path to another module.

Each function takes `imports`, a function that returns the modules that a module imports.
"""


def reachable(modules, imports):
    """Return the modules (a list) and all that they import, directly or through others."""
    reached = list(modules)
    for module in reached:
        reached += [name for name in imports(module) if name not in reached]
    return reached


def shortest_path(start, end, imports):
    """Return the shortest path from a module to another, both included, or None.

    With the same module at both ends it takes at least one import, so it is a cycle.
    """
    paths, seen = [[start]], set()
    for path in paths:
        for name in imports(path[-1]):
            if name == end:
                return [*path, name]
            if name not in seen:
                seen.add(name)
                paths.append([*path, name])
    return None
