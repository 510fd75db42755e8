"""What holds for all tests: their order; and that a notebook whose cell hangs has failed.

When a cell outlives --nbval-cell-timeout, nbval interrupts the kernel. HotQueue's consume()
swallows that interrupt, so the cell ends quietly and nbval would call it passed.
"""

import signal
from collections import Counter

import pytest

pytest_plugins = ["jobs_kit.grading.plugin"]


def pytest_configure():
    """Let the programs of the tests hear Ctrl-C, also where a shell runs us in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Put the files with most slow tests first: at the end no process is left alone with one."""
    long = [item.path for item in items if any(map(item.get_closest_marker, ("slow", "browser")))]
    count = Counter(long)
    items.sort(key=lambda item: -count[item.path])


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

    config.option.loadscopereorder = False  # which would begin with the files of most tests
    return LoadFileScheduling(config, log)
