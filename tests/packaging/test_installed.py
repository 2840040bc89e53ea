"""A file of the program that was changed, taken away or put there is found, and the agent does not start with it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.command_line.installed import look_at_install
from tests.agent.running import short_folder, site_text

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, installed by pip from its wheel into a folder."""
    made = tmp_path_factory.mktemp("installed")
    source = made / "source"
    for name in ("config", "device_drivers", "edge_agent", "sync", "terminal_ui", "requirements"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy2(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    command += ["--target", str(made / "site"), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return made / "site"


def test_what_pip_installed_is_whole(folder: Path) -> None:
    found = look_at_install([str(folder)])
    assert found.state == "whole", found.words
    assert int(found.words.split()[1]) > 200


def changed(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\n# one line more\n")


@pytest.mark.parametrize(("name", "tamper"), [
    ("edge_agent/roles.py", changed), ("edge_agent/store/migrations/0001_first.sql", changed),
    ("device_drivers/modbus/__init__.py", Path.unlink), ("device_drivers/of_a_stranger.py", Path.touch),
])  # fmt: skip
def test_a_file_that_is_not_what_was_installed_is_named_and_the_agent_does_not_start(
    folder: Path, name: str, tamper: Callable[[Path], object]
) -> None:
    file = folder / name
    before = file.read_bytes() if file.exists() else None
    tamper(file)
    try:
        found = look_at_install([str(folder)])
        assert (found.state, name in found.words) == ("changed", True)
        with short_folder() as site:
            text = site_text().replace("[site]\n", "[site]\nverify_install = true\n")
            (site / "site.toml").write_text(text)
            begin = f"import sys; sys.path.insert(0, {str(folder)!r})"
            program = f"{begin}; import edge_agent.__main__ as it; sys.exit(it.main())"
            command = [sys.executable, "-c", program, "run", str(site / "site.toml")]
            told = subprocess.run(command, capture_output=True, text=True, timeout=60)
            assert told.returncode == 1, told.stderr
            assert "The agent does not start" in told.stderr
            assert not (site / "data").exists()
    finally:
        file.unlink(missing_ok=True)
        if before is not None:
            file.write_bytes(before)


def test_an_editable_install_says_so() -> None:
    assert look_at_install().state in ("editable", "whole"), "the one that runs these tests"


def test_a_folder_says_that_nobody_can_tell(tmp_path: Path) -> None:
    assert look_at_install([str(tmp_path)]).state == "unknown"
