"""Find which packages answers can import: those installed beside the kit, and those that are allowed.

Contained answers see the folders of this Python's environment. A package elsewhere, in a user's own
site-packages or on PYTHONPATH, is missing there until the instructor allows it.
"""

import functools
import importlib.util
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

from jobs_kit.course.places import MATERIAL

TRY = "import importlib, sys; sys.path += sys.argv[2:]; importlib.import_module(sys.argv[1])"
TRY_SECONDS = 60
KIT = "jobs_kit"


@dataclass(frozen=True)
class Packages:
    """Packages that answers may import, too. names: of their modules. folders: where they are."""

    names: tuple = ()
    folders: tuple = ()

    def to_dict(self):
        """Return the fields as a dict that JSON can carry."""
        return asdict(self)


NO_PACKAGES = Packages()


def find_packages(names, private=()):
    """Return the Packages of these names, of modules or as pip knows them.

    private: Paths that answers must not see. Raises ValueError where a package is not installed, does
    not work, or is in a folder with something private.
    """
    modules = [module for name in names for module in _modules_of(name)]
    folders = [_folder_of(module) for module in modules]
    outside = tuple(dict.fromkeys(str(f) for f in folders if not _is_in_environment(f)))
    for folder in map(Path, outside):
        if hidden := [p for p in (MATERIAL, *private) if p.is_relative_to(folder)]:
            raise ValueError(
                f"answers would see {hidden[0]}, because a package that you allow is in {folder}. "
                f"Install it beside the kit: {_pip_command(names)}"
            )
    for module in modules:
        _require_import(module, outside)
    return Packages(tuple(modules), outside)


@functools.cache
def can_import(module, folders=()):
    """Tell whether answers can import a module. folders: those of Packages."""
    if module in sys.stdlib_module_names:
        return True
    places = [place for place in sys.path if place and _is_in_environment(Path(place))]
    return PathFinder.find_spec(module, [*places, *folders]) is not None


def _modules_of(name):
    """Return the names of the modules of a package: `scikit-learn` has sklearn."""
    if _plain(name) == _plain(KIT):
        raise ValueError(f"--allow {name}: an answer consists of its own files, not of the kit's")
    if name.isidentifier() and _spec_of(name):
        return [name]
    modules = [
        module
        for module, owners in metadata.packages_distributions().items()
        if _plain(name) in map(_plain, owners) and _spec_of(module)
    ]
    if not modules:
        raise ValueError(
            f"--allow {name}: this package is not installed. If you trust it, install it with "
            f"`{_pip_command([name])}`, then grade again"
        )
    return modules


def _spec_of(module):
    try:
        return importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None


def _folder_of(module):
    """Return the folder (Path) in which Python finds a module."""
    spec = _spec_of(module)
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve().parent
    # a module of Python itself may have no file
    return Path(spec.origin).resolve().parent if spec.has_location else Path(sys.base_prefix)


def _is_in_environment(folder):
    places = {Path(place).resolve() for place in (sys.prefix, sys.base_prefix)}
    return any(folder.resolve().is_relative_to(place) for place in places)


def _require_import(module, folders):
    """Raise ValueError unless a separate Python can import a module as answers will."""
    command = [sys.executable, "-I", "-c", TRY, module, *folders]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TRY_SECONDS)
        problem = done.stderr.strip().splitlines()[-1:] if done.returncode else []
    except subprocess.TimeoutExpired:
        problem = [f"its import takes more than {TRY_SECONDS} s"]
    if problem:
        raise ValueError(f"--allow {module}: it is installed, but cannot be imported: {problem[0]}")


def _pip_command(names):
    return f"{sys.executable} -m pip install {' '.join(names)}"


def _plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()
