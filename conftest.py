"""What holds for all tests: which may run at once; and that a notebook whose cell hangs has failed.

When a cell outlives --nbval-cell-timeout, nbval interrupts the kernel. HotQueue's consume()
swallows that interrupt, so the cell ends quietly and nbval would call it passed.
"""

import pytest

pytest_plugins = ["jobs_kit.grading.plugin"]


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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Keep the tests of a file, and the cells of a notebook, in one process and in their order.

    Only files that say SPREAD = True are spread over all processes (see --dist loadgroup).
    """
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            if not getattr(getattr(item, "module", None), "SPREAD", False):
                item.add_marker(pytest.mark.xdist_group(str(item.path)))
