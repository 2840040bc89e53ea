"""The list of what may be written: every mistake is told when the site file is read."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from config import ConfigError
from edge_agent.site import load_site

SITE = """
[site]
name = "Plant 1"
agent = "pc-1"
[[terminals]]
id = "T1"
[[scanners]]
name = "gun"
driver = "serial_scanner"
terminal = "T1"
options = { port = "/dev/ttyS0" }
[[devices]]
name = "plc"
driver = "modbus"
[devices.options]
host = "192.0.2.10"
points = [
    { name = "speed", address = 20 }, { name = "sensor", address = 1, table = "input" },
    { name = "running", address = 2, type = "bool", bit = 3 },
]
[[devices]]
name = "mill"
driver = "opcua"
[devices.options]
endpoint = "opc.tcp://192.0.2.20:4840"
points = [{ name = "speed", node = "ns=2;s=Speed" }]
"""


def told(folder: Path, *writes: str, text: str = SITE) -> list[str]:
    """The problems of a site file with these writes."""
    text += "".join(f"[[writes]]\n{textwrap.dedent(each)}\n" for each in writes)
    (folder / "site.toml").write_text(text)
    try:
        load_site(folder / "site.toml")
    except ConfigError as error:
        return [f"{problem.key}: {problem.what}" for problem in error.problems]
    return []


def entry(item: str = "speed", device: str = "plc", more: str = "min = 0\nmax = 9", roles: str = '["setter"]') -> str:
    """One entry."""
    return f'device = "{device}"\nitem = "{item}"\nroles = {roles}\n{more}'


def test_a_good_list(tmp_path: Path) -> None:
    assert told(tmp_path, entry(), entry(device="mill", more='values = [1, true, "on", 2.5]')) == []


@pytest.mark.parametrize(
    ("right", "wrong", "key"),
    [
        ('agent = "pc-1"', 'agnt = "pc-1"', "site.agnt: "),
        ('host = "192.0.2.10"', 'host = "192.0.2.10"\nurrl = "x"', "devices[0].options.urrl: "),
        ('name = "speed", address = 20', 'name = "speed", adress = 20', "devices[0].options.points[0].adress: "),
        ('id = "T1"', 'id = "T1"\nurrl = "x"', "terminals[0].urrl: "),
    ],
)
def test_it_is_told_beside_every_other_mistake(tmp_path: Path, right: str, wrong: str, key: str) -> None:
    text = SITE.replace(right, wrong, 1)
    problems = told(tmp_path, entry("sensor"), entry("sensor"), entry(device="gun"), text=text)
    assert 'writes[0].item: "sensor" is in the table input, which can only be read' in problems
    assert 'writes[1].item: "sensor" stands in the list already' in problems
    assert any(problem.startswith(key) for problem in problems), problems
    assert any(problem.startswith("writes[2].device: there is no device") for problem in problems)


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (entry("sped"), 'writes[0].item: "sped" is no point of this device'),
        (entry("sensor"), 'writes[0].item: "sensor" is in the table input, which can only be read'),
        (entry("running"), 'writes[0].item: "running" is a part of a register'),
        (entry("speed", "mil"), 'writes[0].device: there is no device "mil"'),
        (entry("speed", "gun"), 'writes[0].device: there is no device "gun"'),
        (entry(more=""), "writes[0]: needs either `min` and `max`, for a number, or `values`"),
        (entry(more="min = 0"), "writes[0]: needs either `min` and `max`, for a number, or `values`"),
        (entry(more="min = 0\nmax = 1\nvalues = [1]"), "writes[0]: needs either `min` and `max`"),
        (entry(more="min = 3\nmax = 2"), "writes[0]: `min` is 3, above `max`, which is 2"),
        (entry(more="min = nan\nmax = 2"), "writes[0].min: nan is no number to work with"),
        (entry(roles="[]"), "writes[0].roles: a list can not stand here"),
        (entry(more="min = 0\nmax = 1\nat_most = 0"), "writes[0].at_most: 0 can not stand here"),
        (entry(more="min = 0\nmax = 1\nwithin = 0"), "writes[0].within: 0 can not stand here"),
    ],
)
def test_a_mistake_is_told(write: str, problem: str, tmp_path: Path) -> None:
    found = told(tmp_path, write)
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_an_item_stands_in_the_list_once(tmp_path: Path) -> None:
    assert told(tmp_path, entry(), entry()) == ['writes[1].item: "speed" stands in the list already']


def test_without_a_list_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE)
    assert load_site(tmp_path / "site.toml").writes == ()
