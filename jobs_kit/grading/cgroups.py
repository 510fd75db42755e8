"""Read limits and shortages of this process's control groups, of both versions that Linux has."""

import contextlib
import re
from pathlib import Path

PROC = Path("/proc/self")


def values(controller, name):
    """Yield the text of a file of this process's group, and of each group above it.

    controller: "cpu" or "memory". name: of the file, such as "memory.max". Where there is no such
    file, it yields nothing.
    """
    for folder in _groups(controller):
        with contextlib.suppress(OSError):
            yield (folder / name).read_text().strip()


def processors():
    """Return how many processors the groups allow, a float; infinity for no limit."""
    quotas = [text.split() for text in values("cpu", "cpu.max")]
    quotas += zip(
        values("cpu", "cpu.cfs_quota_us"), values("cpu", "cpu.cfs_period_us"), strict=True
    )
    return min(
        (int(quota) / int(period) for quota, period in quotas if quota not in ("max", "-1")),
        default=float("inf"),
    )


def memory():
    """Return how many bytes of memory the groups allow; infinity for no limit."""
    names = "memory.max", "memory.high", "memory.limit_in_bytes"
    limits = [text for name in names for text in values("memory", name)]
    return min((int(text) for text in limits if text != "max"), default=float("inf"))


def shortages():
    """Return counters that grow when a process is killed for want of memory, or cannot be started.

    Without groups they are about the whole system.
    """
    # of our own group: the groups above count what happens in others, too
    kills = [*values("memory", "memory.events"), *values("memory", "memory.oom_control")][:1]
    with contextlib.suppress(OSError):
        kills = kills or [(PROC.parent / "vmstat").read_text()]
    return [re.findall(r"^oom_kill (\d+)", "\n".join(kills), re.MULTILINE)] + [
        re.findall(r"^max (\d+)", text, re.MULTILINE) for text in values("pids", "pids.events")
    ]


def _groups(controller):
    """Yield the folders of this process's group and of those above it, for either version."""
    with contextlib.suppress(OSError):  # not Linux
        paths = _paths()
        for line in (PROC / "mountinfo").read_text().splitlines():
            mount, _, system = line.partition(" - ")
            root, place = mount.split()[3:5]
            kind, _, options = system.split(" ", 2)
            if kind == "cgroup2":
                yield from _from_inner_to_outer(paths.get(""), root, Path(place))
            elif kind == "cgroup" and controller in options.split(","):
                yield from _from_inner_to_outer(paths.get(controller), root, Path(place))


def _paths():
    """Return {controller: path of this process's group}; "" is version 2."""
    lines = (PROC / "cgroup").read_text().splitlines()
    fields = [line.split(":", 2) for line in lines]
    return {name: path for _, names, path in fields for name in names.split(",")}


def _from_inner_to_outer(path, root, place):
    """Yield the folder of a group, and those above it up to the place where `root` is mounted."""
    inner = Path(path or root)
    # a container may see the path that its group has outside, and only its own group
    below = inner.relative_to(root) if inner.is_relative_to(root) else Path()
    folder = place if ".." in below.parts else place / below
    while folder != place:
        yield folder
        folder = folder.parent
    yield place
