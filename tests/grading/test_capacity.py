"""A run has as many judges as the processors and the memory of its control groups allow."""

import pytest

from jobs_kit.grading import cgroups
from jobs_kit.grading.batch import capacity
from jobs_kit.grading.batch.capacity import most_judges

GB = 1 << 30
NO_LIMIT = str(0x7FFFFFFFFFFFF000)  # as version 1 writes it

GROUPS = {  # its /proc/self/cgroup, its mounts, the files there, and how many judges are right
    "no groups": ("", [], {}, 24),
    "version 2": (
        "0::/user/me",
        ["/ {place} cgroup2 rw"],
        {"user/me/cpu.max": "150000 100000", "user/me/memory.max": "max"},
        5,
    ),
    "a limit of a group above": (
        "0::/user/me",
        ["/ {place} cgroup2 rw"],
        {"user/me/cpu.max": "max 100000", "user/cpu.max": "200000 100000"},
        6,
    ),
    "a part of a processor": ("0::/", ["/ {place} cgroup2 rw"], {"cpu.max": "10000 100000"}, 1),
    "little memory": ("0::/", ["/ {place} cgroup2 rw"], {"memory.max": f"{GB}"}, 8),
    "less memory than one judge needs": (
        "0::/",
        ["/ {place} cgroup2 rw"],
        {"memory.high": f"{GB // 16}"},
        1,
    ),
    "version 1, each controller at its own place": (
        "4:memory:/job\n2:cpu,cpuacct:/job\n0::/",
        ["/ {place}/memory cgroup rw,memory", "/ {place}/cpu cgroup rw,cpu,cpuacct"],
        {
            "memory/job/memory.limit_in_bytes": f"{GB // 2}",
            "memory/memory.limit_in_bytes": NO_LIMIT,
            "cpu/job/cpu.cfs_quota_us": "-1",
            "cpu/job/cpu.cfs_period_us": "100000",
        },
        4,
    ),
    "a container that sees the host's path": (
        "1:cpu:/docker/4711",
        ["/docker/4711 {place} cgroup rw,cpu"],
        {"cpu.cfs_quota_us": "100000", "cpu.cfs_period_us": "100000"},
        3,
    ),
    "a group outside of what is mounted": (
        "0::/../other",
        ["/ {place} cgroup2 rw"],
        {"cpu.max": "100000 100000"},
        3,
    ),
}


@pytest.mark.parametrize("name", GROUPS)
def test_judges_follow_the_control_groups(name, tmp_path, monkeypatch):
    paths, mounts, files, judges = GROUPS[name]
    monkeypatch.setattr(cgroups, "PROC", tmp_path)
    monkeypatch.setattr(capacity, "_processors", lambda: 8)
    monkeypatch.setattr(capacity, "_memory", lambda: 64 * GB)
    (tmp_path / "cgroup").write_text(paths)
    lines = []
    for mount in mounts:
        root, place, kind, options = mount.format(place=tmp_path / "mounted").split()
        lines.append(f"31 23 0:28 {root} {place} rw,relatime - {kind} cgroup {options}")
    (tmp_path / "mountinfo").write_text("\n".join(lines))
    for file, text in files.items():
        path = tmp_path / "mounted" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    assert most_judges() == judges


def test_judges_follow_the_processors_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(capacity.os, "sched_getaffinity", lambda pid: {3}, raising=False)
    assert most_judges() <= capacity.JUDGES_PER_PROCESSOR
