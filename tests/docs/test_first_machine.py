"""The site file of "Connect your first machine" reads the simulated press that the page offers: what it shows is so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from device_drivers.simulators.process import Simulator
from device_drivers.simulators.shift import PRESS, Shift
from tests.agent.running import AgentProcess, ask, short_folder, wait
from tests.docs.markdown import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "first-machine.md"
BUILT = 70_000  # more than one register holds: with the words in the wrong order it is another count


@pytest.fixture
def press() -> Iterator[Simulator]:
    """A press that stands for the whole test: what it has is what its first moment was."""
    simulator = Simulator.start("modbus_machine", "--time-scale", "0", "--begin", "60", "--built", str(BUILT))
    try:
        yield simulator
    finally:
        simulator.stop()


def the_press_alone(port: int) -> str:
    """The TOML of the page without its OPC UA machine, with the address that the page says for the simulator."""
    told = "\n".join(block.text for block in blocks(PAGE) if block.kind == "toml" and "opcua" not in block.text)
    told = re.sub(r"\[\[equipment\]\]\nid = \"MILL-07\".*?(?=\n\[|\Z)", "", told, flags=re.DOTALL)
    return told.replace('host = "192.0.2.10"', f'host = "127.0.0.1"\nport = {port}')


def shown(agent: AgentProcess) -> dict[str, Any]:
    """The press, as `floorhand status` has it; empty while it has no values."""
    status, body = ask(agent.socket, "GET", "/v1/equipment")
    assert status == 200, body
    (machine,) = msgspec.json.decode(body)
    return dict(machine) if machine["count"] is not None and machine["values"] else {}


def test_the_site_file_of_the_page_shows_what_the_press_has(press: Simulator) -> None:
    now = Shift(PRESS, 1).at(60.0)
    with short_folder() as folder:
        agent = AgentProcess(folder, the_press_alone(int(press.ready["port"])))
        try:
            agent.start()
            machine = wait(lambda: shown(agent), "values of the press")
        finally:
            agent.end()
    assert (machine["state"], machine["count"]) == (now.state.name, now.good + BUILT)
    (temperature,) = (each for each in machine["values"] if each["name"] == "temperature")
    assert temperature["value"] == pytest.approx(now.temperature, rel=1e-5)


def test_the_page_says_how_to_start_the_press() -> None:
    command = next(row for each in blocks(PAGE) if each.kind == "sh" for row in each.lines if "modbus_machine" in row)
    assert shlex.split(command)[0] == ".venv/bin/python"
