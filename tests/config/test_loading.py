"""The site file in, typed settings out, or every problem at once."""

from __future__ import annotations

import os
import shutil
import socket
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


@pytest.mark.parametrize(("mode", "told"), [(0o644, "chmod 600"), (None, "is not there")])
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


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load(tmp_path / "site.toml", OPTIONS).site.name == "Plant 1"


@pytest.mark.parametrize(
    "nested", ["a=" + "[" * 5000, "a=" + "{b=" * 5000, "[" + "a." * 5000 + "a]"], ids=lambda nested: nested[:4]
)
def test_what_is_nested_by_the_thousand_is_a_problem_of_the_file(nested: str) -> None:
    (problem,) = problems(f"{nested}\n{MINIMAL}")
    assert problem.file == "site.toml"


@pytest.mark.parametrize("what", ["pipe", "folder", "socket"])
def test_what_is_no_file_is_told_and_not_waited_for(what: str, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as held:
        if what == "socket":
            held.bind(str(path))
        else:
            (os.mkfifo if what == "pipe" else os.mkdir)(path)
        done = subprocess.run(
            [sys.executable, "-m", "edge_agent", "check", str(path)], cwd=ROOT, env=os.environ,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "; allowed: the path of a site file" in done.stderr


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


@pytest.mark.parametrize("seconds", [0, 15, 300])
def test_a_terminal_locks_itself_late_enough_to_hear_of_keys(seconds: int) -> None:
    assert read(f"{MINIMAL}[policies]\nlock_after_seconds = {seconds}\n").policies.lock_after_seconds == seconds
    (problem,) = problems(f"{MINIMAL}[policies]\nlock_after_seconds = 14.9\n")
    assert problem.key == "policies"
    assert "at least 15" in str(problem)


SERVER = """
[[devices]]
name = "mill"
driver = "opcua"
options = {{ endpoint = "{opcua}", insecure = true, points = [{{ name = "load", node = "i=1" }}] }}
[[devices]]
name = "press"
driver = "modbus"
options = {{ host = "{modbus}", points = [{{ name = "count", address = 1 }}] }}
[[scanners]]
name = "gun"
driver = "tcp_scanner"
terminal = "T1"
options = {{ host = "{scanner}", port = 4001 }}
[[connectors]]
name = "erp"
driver = "rest"
options = {{ url = "{rest}", token_file = "erp.token" }}
"""
RIGHT = {"opcua": "opc.tcp://mill:4840", "modbus": "192.0.2.7", "scanner": "gun-1.plant", "rest": "https://erp.example"}
KEYS = {
    "opcua": "devices[0].options.endpoint", "modbus": "devices[1].options.host",
    "scanner": "scanners[0].options.host", "rest": "connectors[0].options.url",
}  # fmt: skip


def addressed(folder: Path, **changes: str) -> list[str]:
    """What is wrong with a site of real drivers with these addresses."""
    token = folder / "erp.token"
    token.touch(mode=0o600)
    token.write_text("t")
    text = MINIMAL + SERVER.format_map(RIGHT | changes)
    try:
        parse(text, file="site.toml", folder=folder, options=option_types())
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("whose", "address"),
    [
        ("rest", "https://erp.example:8443/floorhand"), ("rest", "http://[::1]:80"), ("rest", "https://würfel.example"),
        ("opcua", "opc.tcp://mill"), ("opcua", "opc.tcp://[fe80::1%eth0]:4840/a"), ("modbus", "plc_1"),
        ("modbus", "fe80::1"), ("scanner", "gun.plant."),
    ],
)  # fmt: skip
def test_addresses_that_can_be_reached_are_taken(whose: str, address: str, tmp_path: Path) -> None:
    assert addressed(tmp_path, **{whose: address}) == []


@pytest.mark.parametrize(
    ("whose", "address", "said"),
    [
        ("rest", "http://127.0.0.1:99999", "there is no port 99999"),
        ("rest", "http://127.0.0.1:0", "there is no port 0"),
        ("rest", "http://127.0.0.1:8x", "there is no port 8x"),
        ("rest", "https://erp example.com", "has a space in it"),
        ("rest", "https://erp..example.com", "is no name of a host"),
        ("rest", "https://erp%20a.example.com", "is no name of a host"),
        ("rest", "http://[::1", "is no address"),
        ("rest", "http://192.168.1.300", "192.168.1.300 is no IP address"),
        ("opcua", "opc.tcp://h:99999", "there is no port 99999"),
        ("opcua", "opc.tcp://h,i:4840", "is no name of a host"),
        ("modbus", "192.168.1.300", "192.168.1.300 is no IP address"),
        ("modbus", "plc:502", "plc:502 is no IP address"),
        ("modbus", "http://plc", "http://plc is no IP address"),
        ("scanner", "gun 1", "is no name of a host"),
        ("scanner", "x" * 64, "is no name of a host"),
    ],
)
def test_an_address_that_nobody_can_have_is_told_with_its_key(
    whose: str, address: str, said: str, tmp_path: Path
) -> None:
    (problem,) = addressed(tmp_path, **{whose: address})
    assert problem.startswith(f"site.toml: {KEYS[whose]}: ")
    assert said in problem
    assert "; allowed: " in problem
    assert "letters, digits" in problem


BUS = '[[devices]]\nname="plc"\ndriver="bus"\noptions={host="h", points=[{name="load"}]}\n[[telemetry.items]]\n'


@pytest.mark.parametrize("match", ["plc/load", "plc/*", "*", "p?c/l*", "*/load", "*load"])
def test_what_is_said_of_values_that_are_there_is_taken(match: str) -> None:
    assert read(f'{MINIMAL}{BUS}match="{match}"\n').telemetry.items[0].match == match


@pytest.mark.parametrize(
    ("match", "said"),
    [
        ("plk/load", 'there is no device "plk" (did you mean plc?); allowed: plc'),
        ("plc", 'no item is "plc"; allowed: plc/load'),
        ("plc/lode", 'no item is "plc/lode" (did you mean plc/load?); allowed: plc/load'),
        ("*/temp*", 'no item is "*/temp*"; allowed: plc/load'),
    ],
)
def test_what_is_said_of_values_that_are_nowhere_is_told(match: str, said: str) -> None:
    (problem,) = problems(f'{MINIMAL}{BUS}match="{match}"\n')
    assert str(problem) == f"site.toml: telemetry.items[0].match: {said}"


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
