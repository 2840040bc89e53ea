"""Which reasons are proposed for the stops of a machine: said by the site, for two states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config import ConfigError, Settings, StopReasons, parse
from tests.config.sites import OPTIONS

MACHINE = """
[site]
name = "Plant 1"
agent = "pc-1"
[[terminals]]
id = "T1"
[[devices]]
name = "plc"
driver = "bus"
options = {{ host = "h", points = [{{ name = "state" }}] }}
[[equipment]]
id = "PRESS"
device = "plc"
{}
"""


def read(said: str) -> Settings:
    return parse(MACHINE.format(said), file="site.toml", folder=Path("/srv/site"), options=OPTIONS)


def problem(said: str) -> Any:
    with pytest.raises(ConfigError) as caught:
        read(said)
    (told,) = caught.value.problems
    return told


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", StopReasons()),
        ('stop_reasons = { SUSPENDED = "WAIT-1" }', StopReasons(suspended="WAIT-1")),
        ('stop_reasons = { HELD = "STOP-2", SUSPENDED = "STOP-6" }', StopReasons(held="STOP-2", suspended="STOP-6")),
    ],
)
def test_a_site_says_them_by_state_and_nothing_by_itself(said: str, meant: StopReasons) -> None:
    assert read(f'state = "state"\n{said}').equipment[0].stop_reasons == meant


@pytest.mark.parametrize("state", ["ABORTED", "EXECUTE", "held", "BLOCKED"])
def test_no_other_state_has_one(state: str) -> None:
    told = problem(f'state = "state"\nstop_reasons = {{ {state} = "STOP-1" }}')
    assert (told.key, told.allowed) == (f"equipment[0].stop_reasons.{state}", "HELD, SUSPENDED")
    assert told.what.startswith("unknown key")


def test_a_reason_is_an_id() -> None:
    assert problem('state = "state"\nstop_reasons = { HELD = 2 }').key == "equipment[0].stop_reasons.HELD"


def test_a_machine_whose_state_nobody_reads_has_none() -> None:
    assert "`stop_reasons` need a `state`" in problem('stop_reasons = { HELD = "STOP-1" }').what
