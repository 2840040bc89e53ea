"""A disk that fails in mid-work: nothing is called saved that is not safe, and the harness would see it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.crash.compiled import NoCompiler, library
from tests.crash.io_errors import failing
from tests.support.optional import missing


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return library("libfault", tmp_path_factory.mktemp("library"))
    except NoCompiler as error:
        missing(str(error))


def test_a_disk_that_fails_loses_nothing(made: Path, tmp_path: Path) -> None:
    told = failing(made, tmp_path, 0, 8)
    assert told["fired"] > 50
    assert told["refused"] > 10
    wrong = ("lost", "double", "unsafe", "not_mirrored", "broken", "stuck")
    assert {name: told[name] for name in wrong} == dict.fromkeys(wrong, 0)


@pytest.mark.parametrize(
    ("planted", "seen"),
    [
        ("synchronous_off", "unsafe"),
        ("synchronous_normal", "unsafe"),
        ("lie", "unsafe"),
        ("failed_commit_answered", "lost"),
    ],
)
def test_a_mistake_is_seen(made: Path, tmp_path: Path, planted: str, seen: str) -> None:
    told: Counter[str] = failing(made, tmp_path, 0, 4, planted)
    assert told[seen]
