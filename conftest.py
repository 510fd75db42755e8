"""What holds for all tests: which may run at once; and that a notebook whose cell hangs has failed.

When a cell outlives --nbval-cell-timeout, nbval interrupts the kernel. HotQueue's consume()
swallows that interrupt, so the cell ends quietly and nbval would call it passed.
"""

import signal

import pytest

SPREAD = {"tests/grading/test_cases.py"}  # hundreds of tests that know nothing of each other
pytest_plugins = ["jobs_kit.grading.plugin"]


def pytest_configure():
    """Let the programs of the tests hear Ctrl-C, also where a shell runs us in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            return nodeid if file in SPREAD else file

    return ByFile(config, log)
