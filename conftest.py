"""What holds for all tests: their order; and that a notebook whose cell hangs has failed.

When a cell outlives --nbval-cell-timeout, nbval interrupts the kernel. HotQueue's consume()
swallows that interrupt, so the cell ends quietly and nbval would call it passed.
"""

import os
import signal
from collections import Counter

import pytest

BROWSER = "tests/browser"
LESSONS = "tests/browser/test_lessons_on_a_page.py"
pytest_plugins = ["jobs_kit.grading.plugin"]


def pytest_configure():
    """Let the programs of the tests hear Ctrl-C, also where a shell runs us in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Put the lessons in a browser first, which take longest, then the files by slow tests.

    At the end no process is left alone with a long file.
    """
    marked = [i for i in items if any(map(i.get_closest_marker, ("slow", "browser")))]
    count = Counter(group_of(item.nodeid) for item in marked)

    def rank(item):
        group = group_of(item.nodeid)
        return group != LESSONS, -count[group]

    items.sort(key=rank)


def group_of(nodeid):
    """Return the name of what runs in one process: a file, or all browser tests but the lessons."""
    file = nodeid.partition("::")[0]
    return BROWSER if file.startswith(BROWSER) and file != LESSONS else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Start two processes more than there are cores: most tests wait for other programs."""
    return os.cpu_count() + 2


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Turn the report of a cell into a failure when it or an earlier one has timed out."""
    report = yield
    if report.when == "call" and getattr(item.parent, "timed_out", False):
        if report.outcome != "failed":
            report.longrepr = "this cell, or an earlier one of its notebook, timed out"
        report.outcome = "failed"
        report.__dict__.pop("wasxfail", None)  # nbval expects the cells after it to fail
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep the tests of a file, and the cells of a notebook, in one process and in their order."""
    from xdist.scheduler import LoadFileScheduling

    class ByGroup(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid)

    config.option.loadscopereorder = False  # which would begin with the files of most tests
    return ByGroup(config, log)
