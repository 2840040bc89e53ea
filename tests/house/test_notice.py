"""NOTICE names every package that the product needs; the locks hold hashes and no address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.sources import ROOT

REQUIREMENTS = ROOT / "requirements"


def locked(lock: Path) -> list[str]:
    return re.findall(r"^([A-Za-z0-9_.-]+)==", lock.read_text(), re.MULTILINE)


def test_notice_names_every_package_of_the_runtime_with_its_licence() -> None:
    notice = dict(re.findall(r"^([A-Za-z0-9_.-]+)  +(\S.*)$", (ROOT / "NOTICE").read_text(), re.MULTILINE))
    assert sorted(notice) == sorted(locked(REQUIREMENTS / "runtime.txt"))


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt"])
def test_a_lock_holds_hashes_and_no_address(name: str) -> None:
    text = (REQUIREMENTS / name).read_text()
    assert "://" not in text
    assert not re.search(r"^(-|.*@ )", text, re.MULTILINE)
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_tests_run_with_the_versions_that_the_product_runs_with() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+", (REQUIREMENTS / name).read_text(), re.MULTILINE))

    assert pins("runtime.txt") <= pins("dev.txt")


def test_what_is_asked_for_is_locked() -> None:
    asked = re.findall(r"^([a-z0-9_-]+)", (REQUIREMENTS / "runtime.in").read_text(), re.MULTILINE)
    assert set(asked) <= set(locked(REQUIREMENTS / "runtime.txt"))
