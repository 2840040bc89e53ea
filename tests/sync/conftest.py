from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.erp_process import ErpProcess
from tests.sync.plant import PLANS


@pytest.fixture(scope="module")
def erp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ErpProcess]:
    """One running reference ERP for the tests of a module."""
    process = ErpProcess(tmp_path_factory.mktemp("erp"), PLANS)
    process.start()
    yield process
    process.kill()


@pytest.fixture
def own_erp(tmp_path: Path) -> Iterator[ErpProcess]:
    """A running reference ERP for one test, that may kill it."""
    process = ErpProcess(tmp_path, PLANS)
    process.start()
    yield process
    process.kill()
