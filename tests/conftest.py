"""Settings of all tests, and their fixtures, which a process gets that runs tests."""

import os

import pytest

# The workers of pytest-xdist share the cores: one thread each, for what they start, too.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# As the product does before it imports onnxruntime, which some tests import themselves.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def pytest_configure(config):
    """Import the fixtures; seconds of imports, which the process that has workers does without."""
    is_worker = hasattr(config, "workerinput")
    if is_worker or not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("tests.support.fixtures")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Let one process make the finished run and the sweep, 20 s, for all tests that use them."""
    for item in items:
        finished = {"finished_run", "finished_sweep"} & {*getattr(item, "fixturenames", ())}
        if finished and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("finished"))
