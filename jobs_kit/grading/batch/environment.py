"""Describe the environment in which a class is graded, and tell whether it has changed."""

import contextlib
import functools
import hashlib
import json
import os
import platform
import shlex
import sys
import sysconfig
from pathlib import Path

from jobs_kit.course.places import EXERCISES, KIT, MASTERS
from jobs_kit.grading import cgroups
from jobs_kit.grading.sandbox import containment

FOLDERS = (
    sys.prefix,
    sys.base_prefix,
    *(sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")),
)


class KnownPasses:
    """The exercises whose own solutions passed in this environment, in the user's cache.

    contained (bool): whether their programs were. ids: a set.
    """

    def __init__(self, contained):
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        self._path = Path(cache, "jobs-kit", f"own-solutions-{_key(contained)[:32]}.json")
        self.ids = set()
        with contextlib.suppress(OSError, ValueError, TypeError):
            self.ids = set(json.loads(self._path.read_text()))

    def add(self, ids):
        """Keep more ids. If they can't be stored, they are judged again next time."""
        self.ids |= set(ids)
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(f".{os.getpid()}")
            part.write_text(json.dumps(sorted(self.ids)))
            part.replace(self._path)

    def forget(self):
        """Forget them all."""
        self._path.unlink(missing_ok=True)


def unreadable_path():
    """Return a path that another user may not read although student code must, quoted; or None."""
    if not containment.has_other_users():
        return None
    paths = [*used_paths(), *containment.font_lists()]
    return next((shlex.quote(path) for path in paths if not _is_readable(path)), None)


def used_paths():
    """Return the paths of this Python and of its packages."""
    inside = [os.path.join(place, name) for place in FOLDERS for name in sorted(os.listdir(place))]
    return [*FOLDERS, *inside]


def _is_readable(path):
    """Tell whether other users may read a file, or enter a folder."""
    needed = 0o5 if os.path.isdir(path) else 0o4
    return os.path.islink(path) or os.stat(path).st_mode & needed == needed


@functools.cache
def _key(contained):
    """Return what changes with the kit, the environment and the containment, as text."""
    system = [
        sys.version,
        platform.release(),
        os.geteuid(),
        cgroups.memory(),
        containment.containment_measures(containment.has_other_users() or None, contained),
    ]
    digest = hashlib.sha256(repr(system).encode())
    for path in sorted([*KIT.rglob("*.py"), *EXERCISES.rglob("*.py"), *MASTERS.rglob("*.py")]):
        digest.update(f"{path}".encode() + path.read_bytes())
    for path in used_paths():
        digest.update(repr(_identity(path)).encode())
    return digest.hexdigest()


def _identity(path):
    """Return what changes when a file is installed again, or its owner or its rights change."""
    status = os.stat(path, follow_symlinks=False)
    return path, status.st_ino, status.st_mode, status.st_uid
