"""The width of a counter: no part is lost where its register starts again, whatever the site file leaves out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config import ConfigError, Settings
from edge_agent.__main__ import main
from edge_agent.machines.ledger import Reading, Standing, read
from edge_agent.site import load_site, machine_of
from tests.support.manual_clock import START

SITE = """
[site]
name = "Plant 1"
agent = "pc-1"
[[terminals]]
id = "T1"
[[equipment]]
id = "PRESS-3"
device = "plc"
count = "good"
{width}
[[devices]]
name = "plc"
driver = "modbus"
options = {{ host = "192.0.2.10", points = [{{ name = "good", address = 2, {point} }}, {{ name = "t", address = 9 }}] }}
"""

# A port that is not there: nothing is asked.
DEVICE = """
[[devices]]
name = "gun"
driver = "modbus"
options = { transport = "rtu", serial = { port = "/dev/none" }, points = [{ name = "good", address = 2 }] }
"""


def loaded(folder: Path, point: str, width: str = "") -> Settings:
    """A site with a counter."""
    (folder / "site.toml").write_text(SITE.format(point=point, width=width))
    return load_site(folder / "site.toml")


def refused(folder: Path, point: str, width: str = "") -> list[str]:
    """What is wrong with it."""
    with pytest.raises(ConfigError) as caught:
        loaded(folder, point, width)
    return [str(problem) for problem in caught.value.problems]


def test_a_register_of_16_bits_loses_no_part_where_it_starts_again(tmp_path: Path) -> None:
    machine = machine_of(loaded(tmp_path, 'type = "uint16"').equipment[0])
    standing: Standing | None = None
    counted = 0
    for second, value in enumerate((65_530, 12, 20)):
        step = read(standing, Reading(value, START + timedelta(seconds=second)), machine.modulus, machine.cycle_time)
        standing, counted = step.standing, counted + step.parts
    assert counted == 26


@pytest.mark.parametrize(
    ("point", "bits"),
    [
        ('table = "input"', 16), ('type = "int16"', 16), ('type = "uint32"', 32), ('type = "int32"', 32),
        ('type = "uint64"', 64), ('type = "uint32", bit = 4, bits = 12', 12), ('type = "float32"', 32),
    ],
)  # fmt: skip
def test_left_out_it_is_that_of_the_type(tmp_path: Path, point: str, bits: int) -> None:
    assert loaded(tmp_path, point).equipment[0].count_width == bits


def test_a_controller_may_count_in_fewer_bits_than_it_shows(tmp_path: Path) -> None:
    assert loaded(tmp_path, 'type = "int32"', "count_width = 31").equipment[0].count_width == 31


def test_more_bits_than_the_register_has_are_refused(tmp_path: Path) -> None:
    (told,) = refused(tmp_path, 'type = "uint16"', "count_width = 32")
    assert "equipment[0].count_width" in told
    assert "32 is too wide: good starts again at 0 after 16 bits" in told
    assert "16, or leave it out" in told


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ('type = "bool", bit = 3', "a bool is no number"), ('type = "string", length = 2', "a string is no number"),
        ('type = "uint16", scale = 0.5', "leave `scale`"), ('type = "uint16", bit = 4, bits = 4', "8 are the least"),
    ],
)  # fmt: skip
def test_what_can_not_count_is_refused(tmp_path: Path, point: str, words: str) -> None:
    (told,) = refused(tmp_path, point)
    assert "equipment[0].count: good can not count: " in told
    assert words in told


@pytest.mark.parametrize(
    ("point", "said", "numbers"),
    [
        ('type = "bcd16"', "", 10_000), ('type = "bcd32"', "", 100_000_000),
        ('type = "uint16"', "count_modulus = 10_000", 10_000), ('type = "float32"', "count_modulus = 1_000", 1_000),
        ('type = "bcd32"', "count_modulus = 1_000_000", 1_000_000),
    ],
)  # fmt: skip
def test_a_counter_that_ends_at_nines_loses_no_part_there(tmp_path: Path, point: str, said: str, numbers: int) -> None:
    machine = machine_of(loaded(tmp_path, point, said).equipment[0])
    standing: Standing | None = None
    counted = 0
    for second in range(13):
        reading = Reading((numbers - 10 + second) % numbers, START + timedelta(seconds=2 * second))
        step = read(standing, reading, machine.modulus, machine.cycle_time)
        standing, counted = step.standing, counted + step.parts
    assert counted == 12


@pytest.mark.parametrize(
    ("point", "said", "words"),
    [
        ('type = "bcd16"', "count_width = 13", "good starts again at 0 after 9999, not after a power of two"),
        ('type = "bcd16"', "count_modulus = 65_536", "65536 is too much: good starts again at 0 after 9999"),
        ('type = "uint16"', "count_modulus = 10_000\ncount_width = 16", "leave one out"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, point: str, said: str, words: str) -> None:
    (told,) = refused(tmp_path, point, said)
    assert words in told


def test_it_is_told_beside_what_else_is_wrong(tmp_path: Path) -> None:
    told = refused(tmp_path, 'type = "uint16" }, { name = "bad", address = 1, type = "bool"', "count_width = 17")
    assert len(told) == 2
    assert any("17 is too wide" in each for each in told)


def test_a_driver_that_says_nothing_of_it_counts_in_32_bits(tmp_path: Path) -> None:
    text = SITE.format(point="", width="").partition('driver = "modbus"')[0]
    text += 'driver = "opcua"\noptions = { endpoint = "opc.tcp://x", points = [{ name = "good", node = "ns=2;s=G" }] }'
    (tmp_path / "site.toml").write_text(text)
    assert load_site(tmp_path / "site.toml").equipment[0].count_width == 32


@pytest.mark.parametrize("command", [["check"], ["doctor", "--site"]])
def test_a_machine_that_counts_without_a_cycle_time_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    file, told = tmp_path / "site.toml", []
    for width in ("", "cycle_time = 6.0"):
        text = SITE.format(point="", width=width).partition("[[devices]]")[0]
        file.write_text(text.replace("plc", "gun") + DEVICE)
        main([*command, str(file)])
        told.append("PRESS-3 has no `cycle_time`. Give the ideal seconds for one piece" in capsys.readouterr().out)
    assert told == [True, False]
