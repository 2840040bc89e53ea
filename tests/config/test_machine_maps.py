"""Machine maps: those that are shipped, what is told of a wrong one, and what a site makes of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config import ConfigError, Problem, Settings, UnitState, parse
from config.machine_maps import find_map, load_map, map_names, parse_map
from edge_agent.site import option_types
from tests.config.sites import OPTIONS

MAP = """
title = "A press"
maker = "Maker"
model = "P1"
document = "a manual"
verified = "nothing"
driver = "bus"
example = { host = "h" }
[parameters.base]
what = "where it begins"
kind = "number"
default = 100
[options]
port = 1502
points = [
    { name = "state", address = "{base + 0}" },
    { name = "good", address = "{base + 2}" },
    { name = "alarm", address = "{base+4}" },
    { name = "heat", address = 9 },
]
[equipment]
state = "state"
states = { "6" = "EXECUTE" }
count = "good"
count_width = 16
alarm = "alarm"
alarms = { "1" = "no air" }
show = ["heat"]
units = { heat = "°C" }
"""
HEAD = '[site]\nname = "Plant 1"\nagent = "pc-1"\n[[terminals]]\nid = "T1"\n'
DEVICE = '[[devices]]\nname = "plc"\nmap = "press"\noptions = { host = "h" }\n'
EQUIPMENT = '[[equipment]]\nid = "P"\ndevice = "plc"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a site with one map of its own."""
    (tmp_path / "machine_maps").mkdir()
    (tmp_path / "machine_maps" / "press.toml").write_text(MAP, encoding="utf-8")
    return tmp_path


def read(folder: Path, *parts: str) -> Settings:
    return parse(HEAD + "".join(parts), file="site.toml", folder=folder, options=OPTIONS)


def problems(folder: Path, *parts: str) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        read(folder, *parts)
    return list(caught.value.problems)


@pytest.mark.parametrize("name", map_names())
def test_every_shipped_map_is_right_for_its_driver_and_says_what_it_was_read_from(name: str) -> None:
    path = find_map(name)
    assert path
    found = load_map(path, option_types())
    assert len(found.points) == len(set(found.points)) > 0
    assert all((found.title, found.maker, found.model, found.document, found.verified))
    assert path.read_text(encoding="utf-8").startswith("# "), "a map begins with words for people"


def test_the_five_kinds_of_machine_are_there() -> None:
    wanted = {"generic_plc", "packml_unit", "machinetool_40501", "sunspec_meter", "eastron_sdm630"}
    assert wanted <= set(map_names())


MISTAKES = {
    "title": lambda text: text.replace('title = "A press"\n', ""),
    "colour": lambda text: 'colour = "red"\n' + text,
    "driver": lambda text: text.replace('driver = "bus"', 'driver = "buss"'),
    "parameters.base.kind": lambda text: text.replace('kind = "number"', 'kind = "figure"'),
    "options.points[0].address": lambda text: text.replace("{base + 0}", "{bass + 0}"),
    "parameters.late.default": lambda text: (
        text + '\n[parameters.late]\nwhat = "x"\nkind = "number"\ndefault = "{bass + 1}"\n'
    ),
    "parameters.other": lambda text: text + '\n[parameters.other]\nwhat = "x"\ndefault = "y"\n',
    "equipment.count": lambda text: text.replace('count = "good"', 'count = "goods"'),
    "equipment.show[0]": lambda text: text.replace('show = ["heat"]', 'show = ["hest"]'),
    "expect.sign": lambda text: text.replace("[equipment]", "[expect]\nsign = [1]\n[equipment]"),
    "equipment.states.6": lambda text: text.replace('"EXECUTE"', '"RUNNING"'),
    "options.port": lambda text: text.replace("1502", "0"),
}


@pytest.mark.parametrize("key", MISTAKES)
def test_a_mistake_in_a_map_is_told_at_its_key(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_map(MISTAKES[key](MAP), file="press.toml", options=OPTIONS)
    assert key in [problem.key for problem in caught.value.problems]
    assert {problem.file for problem in caught.value.problems} == {"press.toml"}


def test_several_mistakes_in_a_map_are_told_at_once() -> None:
    text = MAP.replace('count = "good"', 'count = "goods"').replace("{base + 2}", "{bass}")
    with pytest.raises(ConfigError) as caught:
        parse_map(text, file="press.toml", options=OPTIONS)
    assert [problem.key for problem in caught.value.problems] == [
        "options.points[1].address",
        "equipment.count",
    ]


def test_a_device_and_its_machine_need_one_word_each(folder: Path) -> None:
    settings = read(folder, DEVICE, EQUIPMENT)
    (device,), (machine,) = settings.devices, settings.equipment
    assert (device.driver, device.options.host, device.options.port) == ("bus", "h", 1502)
    assert [(p.name, p.address) for p in device.options.points] == [
        ("state", 100), ("good", 102), ("alarm", 104), ("heat", 9),
    ]  # fmt: skip
    assert (machine.state, machine.states) == ("state", {"6": UnitState.EXECUTE})
    assert (machine.count, machine.count_width) == ("good", 16)
    assert (machine.alarm, machine.alarms) == ("alarm", {"1": "no air"})
    assert (machine.show, machine.units) == (("heat",), {"heat": "°C"})


def test_what_the_site_says_itself_counts_more(folder: Path) -> None:
    own = 'parameters = { base = 0 }\nleave_out = ["heat"]\noptions = { host = "h", port = 7, points = ['
    own += '{ name = "extra", address = 50 }, { name = "good", address = 60 }] }\n'
    machine = 'states = { "9" = "ABORTED" }\nalarms = { "1" = "keine Luft" }\nshow = ["extra"]\n'
    device = DEVICE.replace('options = { host = "h" }\n', own)
    settings = read(folder, device, EQUIPMENT, machine)
    options = settings.devices[0].options
    assert options.port == 7
    assert [(p.name, p.address) for p in options.points] == [
        ("extra", 50), ("good", 60), ("state", 0), ("alarm", 4),
    ]  # fmt: skip
    press = settings.equipment[0]
    assert press.states == {"6": UnitState.EXECUTE, "9": UnitState.ABORTED}
    assert press.alarms == {"1": "keine Luft"}
    assert (press.show, press.units) == (("extra",), {})


def test_what_a_machine_does_not_have_is_left_out_of_its_equipment_too(folder: Path) -> None:
    settings = read(folder, DEVICE, 'leave_out = ["heat", "alarm", "good"]\n', EQUIPMENT)
    machine = settings.equipment[0]
    assert [point.name for point in settings.devices[0].options.points] == ["state"]
    assert (machine.state, machine.count, machine.alarm, machine.show) == ("state", "", "", ())


def test_what_a_map_expects_is_expected_of_the_device_but_for_what_the_site_says_itself(folder: Path) -> None:
    press = folder / "machine_maps" / "press.toml"
    press.write_text(MAP.replace("[equipment]", "[expect]\nheat = [1]\nalarm = [0]\ngood = [2]\n[equipment]"))
    own = 'leave_out = ["alarm"]\nexpect = { good = [5, "x"], state = [6] }\n'
    assert read(folder, DEVICE, own).devices[0].expect == {"heat": (1,), "good": (5, "x"), "state": (6,)}
    (problem,) = problems(folder, DEVICE, "expect = { goods = [5] }\n")
    assert (problem.key, "did you mean" in str(problem)) == ("devices[0].expect.goods", True)


def test_a_state_item_of_its_own_takes_nothing_of_the_maps_states(folder: Path) -> None:
    settings = read(folder, DEVICE, EQUIPMENT, 'state = "heat"\nstates = { "1" = "IDLE" }\n')
    assert settings.equipment[0].states == {"1": UnitState.IDLE}
    (problem,) = problems(folder, DEVICE, EQUIPMENT, 'state = "heat"\n')
    assert problem.key == "equipment[0].state"


CONFLICTS: dict[str, tuple[str, ...]] = {
    "devices[0].map": (DEVICE.replace('"press"', '"prest"'),),
    "devices[0].driver": (DEVICE, 'driver = "wand"\n'),
    "devices[0].parameters.bass": (DEVICE, "parameters = { bass = 1 }\n"),
    "devices[0].parameters.base": (DEVICE, 'parameters = { base = "here" }\n'),
    "devices[0].leave_out[0]": (DEVICE, 'leave_out = ["heet"]\n'),
    "devices[0].options.points[0].address": (
        DEVICE.replace('"h" }', '"h", points = [{ name = "good", address = -1 }] }'),
    ),
    "devices[0].options.host": (DEVICE.replace('host = "h"', ""),),
    "devices[0]": ('[[devices]]\nname = "plc"\noptions = { host = "h" }\n',),
    "equipment[0].state": (DEVICE, 'leave_out = ["state"]\n', EQUIPMENT),
    "equipment[0].count": (DEVICE, EQUIPMENT, 'count = "goods"\n'),
    "equipment[1].device": (DEVICE, EQUIPMENT, EQUIPMENT.replace('"P"', '"Q"')),
}


@pytest.mark.parametrize("key", CONFLICTS)
def test_a_conflict_between_site_and_map_is_told_at_its_key(folder: Path, key: str) -> None:
    assert key in [problem.key for problem in problems(folder, *CONFLICTS[key])]


def test_an_unknown_map_proposes_the_one_that_was_meant(folder: Path) -> None:
    told = problems(folder, DEVICE.replace('"press"', '"packml_units"'))
    meant = next(problem for problem in told if problem.key == "devices[0].map")
    assert "did you mean packml_unit?" in meant.what
    assert "press" in meant.allowed, "a map beside the site file is named as well"


@pytest.mark.parametrize("name", ["../press", "Press", "press.toml", ""])
def test_the_name_of_a_map_is_never_a_path(folder: Path, name: str) -> None:
    assert find_map(name, folder) is None


def test_a_wrong_map_of_the_site_is_told_with_its_own_file(folder: Path) -> None:
    broken = folder / "machine_maps" / "press.toml"
    broken.write_text(MAP.replace('title = "A press"\n', ""), encoding="utf-8")
    assert str(broken) in {problem.file for problem in problems(folder, DEVICE)}


def test_every_parameter_that_a_site_has_to_say_is_asked_for_with_an_example(tmp_path: Path) -> None:
    site = (
        HEAD
        + '[[devices]]\nname = "f"\nmap = "packml_unit"\noptions = { endpoint = "opc.tcp://192.0.2.1" }\n'
    )
    with pytest.raises(ConfigError) as caught:
        parse(site, file="site.toml", folder=tmp_path, options=option_types())
    asked = next(p for p in caught.value.problems if p.key == "devices[0].parameters.unit")
    assert re.search("PackMLBaseObjectType", asked.what)
    assert "nsu=" in asked.allowed
