"""What holds for every test: no skip goes unseen on a build server, no search depends on its speed, none silences
the log of those after it, and the hundreds of programs that the tests start do not compile the product again, each
for itself."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

# Where bytecode is not kept, a start costs three times as much: seconds of CPU become minutes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A busy machine is no failure. Here each search is short, as it is made before every change and is another one each
# time; a build server looks for the same examples every time, and `--hypothesis-profile=thorough` for many.
settings.register_profile("here", deadline=None, max_examples=25)
settings.register_profile("server", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("server" if os.environ.get("REQUIRE_ALL") == "1" else "here")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Five thousand tests are made and stay to the end: nobody looks for garbage among them, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With REQUIRE_ALL=1 a skip is a failure, wherever it was made."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("REQUIRE_ALL") == "1":
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL=1 allows no skip: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def log_still_heard() -> Iterator[None]:
    """Which tests come after it in the same process changes from run to run."""
    yield
    assert logging.root.manager.disable == logging.NOTSET, "this test leaves the log of its process silenced"
