"""Refuse to grade uncontained where student code would run as root, or could not run at all."""

import json
import os
import shlex
import sys
from pathlib import Path

from jobs_kit.grading.batch.environment import used_paths
from jobs_kit.grading.sandbox import containment
from jobs_kit.grading.sandbox.client import SYSTEM
from jobs_kit.redis_server.socket_folder import base_folder


def require_user(private, packages):
    """Raise PermissionError where root grades and student code can't have a user that suits it.

    private: Paths of folders that this user must not see if the kernel can't hide them. packages: the
    Packages that it must see.
    """
    if os.geteuid() != 0:
        return
    if not containment.has_other_users():
        raise PermissionError(
            "student code would run as root, because root can't change to another user here: grade "
            "as an ordinary user, or in a container that keeps CAP_SETUID and CAP_SETGID"
        )
    needed = (*used_paths(), *packages.folders, base_folder())
    needed = sorted({os.path.realpath(path) for path in needed if os.path.exists(path)})
    private = [str(path) for path in private if path.exists() and not _is_hidden(path, packages)]
    closed, open_ = _look_as(containment.FIRST_USER, needed, private)
    if closed:
        raise PermissionError(
            f"student code runs as an unprivileged user, who may not read {closed}, but its Python is "
            f"there: run `chmod {'go+x' if _is_above(closed, needed) else '-R go+rX'} "
            f"{shlex.quote(closed)}`, or install Python and the kit in /opt"
        )
    if open_:
        raise PermissionError(
            f"student code could read {open_}, because no Landlock hides it here: run "
            f"`chmod -R go-rwx {shlex.quote(open_)}`"
        )


def _is_hidden(path, packages):
    """Tell whether the kernel hides a path: it has Landlock, and programs need nothing around there."""
    used = map(Path, (*SYSTEM, sys.prefix, sys.base_prefix, *packages.folders))
    return containment.has_landlock() and not any(path.is_relative_to(place) for place in used)


def _is_above(folder, paths):
    return any(Path(folder) in Path(path).parents for path in paths) and folder not in paths


def _look_as(user, needed, private):
    """Return the first needed path that a user can't read, and the first private one it can see."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            os.write(writer, json.dumps([_first_closed(needed), _first_open(private)]).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader) as file:
        text = file.read()
    os.waitpid(child, 0)
    return json.loads(text)


def _first_closed(paths):
    """Return the first of these paths, or of the folders above, that is closed to this user."""
    folders = {str(parent) for path in paths for parent in Path(path).parents}
    closed = (place for place in sorted(folders) if not os.access(place, os.X_OK))
    unreadable = (path for path in paths if not _is_readable(path))
    return next(closed, None) or next(unreadable, None)


def _is_readable(path):
    return os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0))


def _first_open(folders):
    """Return the first of these folders that this user can list, enter or change."""
    rights = (os.R_OK, os.W_OK, os.X_OK)
    return next((one for one in folders if any(os.access(one, right) for right in rights)), None)
