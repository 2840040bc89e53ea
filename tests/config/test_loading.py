"""The site file in, typed settings out, or every problem at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import ConfigError, Problem, Settings, UnitState, load, parse
from docs.generate import ROOT
from edge_agent.site import option_types
from tests.config.sites import OPTIONS, BusOptions, Point

MINIMAL = """
[site]
name = "Plant 1"
agent = "pc-1"
[[terminals]]
id = "T1"
"""


def read(text: str, folder: Path = Path("/srv/site")) -> Settings:
    return parse(text, file="site.toml", folder=folder, options=OPTIONS)


def problems(text: str) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return list(caught.value.problems)


def test_a_small_site_gets_the_defaults_and_absolute_paths() -> None:
    settings = read(MINIMAL)
    assert settings.site.data == Path("/srv/site/data")
    assert settings.site.socket == Path("/srv/site/data/agent.sock")
    assert settings.terminals[0].home == "production"
    assert settings.policies.drawing_scan is True


def test_options_become_the_types_of_their_driver_with_absolute_paths() -> None:
    settings = read(
        MINIMAL
        + '[[devices]]\nname="plc"\ndriver="bus"\noptions={host="h", points=[{name="state"}]}\n'
        + '[[connectors]]\nname="erp"\ndriver="web"\noptions={token="token"}\n'
        + '[[equipment]]\nid="P"\ndevice="plc"\nstate="state"\nstates={"6"="EXECUTE"}\n'
    )
    assert settings.devices[0].options == BusOptions(host="h", points=(Point(name="state"),))
    assert settings.connectors[0].options.token == Path("/srv/site/token")
    assert settings.equipment[0].states == {"6": UnitState.EXECUTE}


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example as somebody would copy it, with its secret."""
    (tmp_path / "secrets").mkdir()
    token = tmp_path / "secrets" / "erp-token"
    token.touch(mode=0o600)
    token.write_text("s3cret\n")
    return Path(shutil.copy(ROOT / "config" / "site.example.toml", tmp_path / "site.toml"))


def test_the_example_is_right(example: Path) -> None:
    settings = load(example, option_types())
    assert [device.driver for device in settings.devices] == ["modbus", "opcua"]
    assert settings.site.data == example.parent / "data"


@pytest.mark.parametrize(("mode", "told"), [(0o644, "chmod 600"), (None, "can not be read")])
def test_a_secret_that_others_may_read_or_that_is_missing_stops_the_start(
    example: Path, mode: int | None, told: str
) -> None:
    token = example.parent / "secrets" / "erp-token"
    if mode is None:
        token.unlink()
    else:
        token.chmod(mode)
    with pytest.raises(ConfigError, match=told) as error:
        load(example, option_types())
    assert [problem.key for problem in error.value.problems] == ["connectors[0].options.token_file"]


def test_a_missing_file_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"site\.toml: can not be read: No such file or directory"):
        load(tmp_path / "site.toml", OPTIONS)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ConfigError, match="not text in UTF-8"):
        load(tmp_path / "site.toml", OPTIONS)


def test_a_syntax_error_is_told_with_its_line() -> None:
    (problem,) = problems('[site]\nname = "Plant 1\n')
    assert problem.key.startswith("line 2, column ")
    assert problem.what.startswith("not TOML: ")


def test_a_socket_path_that_the_system_can_not_hold_is_refused() -> None:
    (problem,) = problems(MINIMAL.replace("[[", f'socket = "{"x" * 120}"\n[[', 1))
    assert problem.key == "site.socket"
    assert "103 bytes" in problem.allowed


def test_an_item_that_the_device_does_not_have_is_refused() -> None:
    (problem,) = problems(
        MINIMAL
        + '[[devices]]\nname="plc"\ndriver="bus"\noptions={host="h", points=[{name="good_count"}]}\n'
        + '[[equipment]]\nid="P"\ndevice="plc"\ncount="god_count"\n'
    )
    assert str(problem) == (
        'site.toml: equipment[0].count: plc has no item "god_count" (did you mean good_count?);'
        " allowed: good_count"
    )


def test_all_problems_come_at_once() -> None:
    found = problems(
        MINIMAL.replace("pc-1", "PC 1")
        + 'zone = 5\n[[devices]]\nname="plc"\ndriver="buss"\n[policies]\ncount_tolerence=1\n'
    )
    assert [problem.key for problem in found] == [
        "site.agent", "terminals[0].zone", "devices[0].driver", "policies.count_tolerence",
    ]  # fmt: skip
    assert "did you mean count_tolerance?" in found[3].what
    assert found[0].allowed == "text of 1 to 40 of: a-z, 0-9 and -"
    assert found[2].allowed == "bus, wand"


def test_reading_a_site_loads_only_the_drivers_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(MINIMAL)
    program = (
        "import sys; from pathlib import Path; from edge_agent.site import load_site;"
        f"load_site(Path({str(tmp_path / 'site.toml')!r}));"
        "print(sorted({'asyncua', 'pymodbus', 'serial', 'httpx'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
