"""Run a command as a container without special rights does: as root, with namespaces refused.

    command = docker_like(folder, landlock=False) + [sys.executable, …]

Docker's default: a few of root's rights, no new namespace and no mount. Not every user can reach what
is in /root, so the environment is shown elsewhere in the same place, but open.
"""

import os
import sys
from pathlib import Path

import pytest

from jobs_kit.course.places import MATERIAL
from jobs_kit.grading.sandbox import containment
from jobs_kit.grading.sandbox.child import system_calls

RIGHTS = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID", "NET_RAW", "SYS_CHROOT"]
NEW_NAMESPACES = 0x7E020000
LANDLOCK = {"landlock_create_ruleset": (444, 444)}


def _obstacle():
    try:
        containment.require()
    except containment.NotContainedError as problem:
        return str(problem)
    return "" if containment.has_other_users() else "only root has other users"


def root_in_docker():
    """Return a mark that skips a test where such a container cannot be acted."""
    return pytest.mark.skipif(bool(_obstacle()), reason=f"cannot be acted here: {_obstacle()}")


def docker_like(*folders, landlock=True, rights=RIGHTS, opened=True):
    """Return the start of a command.

    folders: that it sees as they are. landlock (bool): whether the kernel has it. rights: of root.
    opened (bool): whether every user may read the environment.
    """
    options = ["--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "--die-with-parent"]
    places = {os.path.realpath(one) for one in (sys.prefix, sys.base_prefix, MATERIAL, *folders)}
    parents = {parent for place in places for parent in Path(place).parents}
    if opened:
        closed = [one for one in sorted(parents) if not one.stat().st_mode & 0o001]
        for folder in closed:
            options += ["--perms", "0755", "--tmpfs", str(folder)]
        for folder in sorted(one for one in parents if set(closed) & set(one.parents)):
            options += ["--perms", "0755", "--dir", str(folder)]
        for place in sorted(places):
            options += ["--bind", place, place]
    options += ["--cap-drop", "ALL"]
    options += [word for right in rights for word in ("--cap-add", f"CAP_{right}")]
    launcher = [sys.executable, __file__, "with" if landlock else "without"]
    return [containment.bwrap(), *options, *launcher]


def _become(landlock, *command):
    """Refuse namespaces to this process, and Landlock if it is "without"; become a command."""
    system_calls.REFUSED = {"mount": (165, 40), "setns": (308, 268)}
    system_calls.MISSING |= LANDLOCK if landlock == "without" else {}
    system_calls.REFUSED_WITH = {
        "clone": (56, 220, [(0, system_calls.HAS, NEW_NAMESPACES)]),
        "unshare": (272, 97, [(0, system_calls.HAS, system_calls.ANY)]),
    }
    system_calls.refuse()
    os.execv(command[0], command)


if __name__ == "__main__":
    _become(*sys.argv[1:])
