"""Name the packages that the kit needs, in the versions that are installed here."""

import contextlib
import re
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

KIT = "jobs-kit"


def pinned_requirements():
    """Return the requirements (strings) of the kit and of its packages, without its extras.

    A package that only another system needs keeps its range of versions, and its marker.
    """
    lines, waiting, seen = {}, [(KIT, frozenset())], set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for requirement in map(Requirement, metadata.requires(name) or ()):
            if not _is_wanted(requirement, extras):
                continue
            with contextlib.suppress(metadata.PackageNotFoundError):
                requirement.specifier = SpecifierSet(f"=={metadata.version(requirement.name)}")
                waiting.append((requirement.name, frozenset(requirement.extras)))
            if "extra" in str(requirement.marker):
                requirement.marker = None
            lines[_plain(requirement.name)] = str(requirement)
    return [lines[name] for name in sorted(lines)]


def _is_wanted(requirement, extras):
    """Tell whether one of these extras, or none, asks for a Requirement, on some system."""
    marker = requirement.marker
    if marker is None or "extra" not in str(marker):
        return True
    return any(marker.evaluate({"extra": extra}) for extra in extras)


def _plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()
