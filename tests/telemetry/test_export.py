"""Stored samples as files: through the front door of a running agent, and cell by cell."""

from __future__ import annotations

import asyncio
import csv
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from device_drivers.simulators.process import Simulator
from edge_agent.__main__ import main
from edge_agent.client import AgentClient
from edge_agent.command_line.export import write_columns, write_csv
from edge_agent.command_line.parser import parser
from edge_agent.machines.by_exception import Columns
from edge_agent.telemetry.sample_stream import sample_lines
from edge_agent.views.histories import SampleGap, Samples
from tests.agent.running import AgentProcess, short_folder, site_text, until
from tests.support.manual_clock import ManualClock
from tests.telemetry.making import T0, opened

DEVICE = """
[[equipment]]
id = "PRESS-03"
device = "press"
count = "count"
[[devices]]
name = "press"
driver = "modbus"
[devices.options]
host = "127.0.0.1"
port = {port}
interval = 0.1
points = [
    {{ name = "state", address = 0 }},
    {{ name = "count", address = 1, type = "uint32" }},
    {{ name = "temperature", address = 4, type = "int16", scale = 0.1 }},
]
[telemetry]
heartbeat = 0.5
[[telemetry.items]]
match = "press/temperature"
deadband = 1000
heartbeat = 3600
"""


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentProcess]:
    """An agent that reads a press."""
    with ExitStack() as stack:
        folder = stack.enter_context(short_folder())
        press = stack.enter_context(Simulator.start("modbus_machine", "--time-scale", "4", "--begin", "60"))
        agent = AgentProcess(folder, site_text(more=DEVICE.format(port=press.ready["port"])))
        stack.callback(agent.end)
        agent.start()
        yield agent


async def stored(address: str, *items: str) -> list[Samples | SampleGap]:
    """What the agent gives."""
    async with AgentClient(address) as client:
        return [each async for each in client.samples(items=items)]


async def enough(agent: AgentProcess, count: int) -> list[Samples]:
    """Wait for so many samples of the state; all there are."""

    async def look() -> list[Samples]:
        found = [each for each in await stored(agent.address) if isinstance(each, Samples)]
        state = sum(len(each.times) for each in found if each.item == "state")
        return found if state >= count else []

    return await until(look, f"{count} samples")


async def test_values_come_out_of_the_front_door_with_status_and_time(agent: AgentProcess) -> None:
    found = await enough(agent, 3)
    assert {(each.device, each.item) for each in found} == {
        ("press", "state"), ("press", "count"), ("press", "temperature"),
    }  # fmt: skip
    for each in found:
        assert len(each.times) == len(each.statuses) == len(each.values)
        assert set(each.statuses) == {"Good"}
    assert sum(len(each.times) for each in found if each.item == "temperature") == 1, "the deadband is wide"
    assert [each.item for each in await stored(agent.address, "*/cou*") if isinstance(each, Samples)] == ["count"]


async def test_a_killed_agent_loses_one_group_and_the_gap_is_in_the_export(agent: AgentProcess) -> None:
    before = times_of(await enough(agent, 4))
    agent.kill()
    agent.start()
    after = await enough(agent, len(before) + 3)
    assert before == times_of(after)[: len(before)], "what was kept is there"
    out = agent.folder / "killed.csv"
    assert await floorhand("export", "--address", agent.address, "--out", str(out)) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    told = out.read_bytes()
    assert await floorhand("export", "--address", agent.address, "--out", str(out)) == 1, "a file that is there stays"
    assert out.read_bytes() == told
    gap = rows[0]
    assert (gap["status"], gap["device"]) == ("Gap", "")
    assert "the agent did not run" in gap["note"]
    states = [row for row in rows if row["item"] == "state"]
    since, missing = datetime.fromisoformat(gap["time"]), gap["note"].split()[1].rstrip(":")
    assert not [row for row in states if since < datetime.fromisoformat(row["time"]) < datetime.fromisoformat(missing)]


async def floorhand(*arguments: str) -> int:
    """The exit code of a command, which has a loop of its own."""
    return await asyncio.to_thread(main, arguments)


def times_of(found: list[Samples]) -> list[int]:
    """The times of the state."""
    return [time for each in found if each.item == "state" for time in each.times]


async def test_a_span_and_columns(agent: AgentProcess, capsys: pytest.CaptureFixture[str]) -> None:
    await enough(agent, 3)
    out = agent.folder / "columns"
    command = ["export", "--address", agent.address, "--format", "columns", "--out", str(out)]
    assert await floorhand(*command, "--items", "press/state", "--items", "press/count") == 0
    listed = list(csv.DictReader((out / "items.csv").read_text().splitlines()))
    assert {(row["device"], row["item"], row["type"]) for row in listed} == {
        ("press", "state", "integer"), ("press", "count", "integer"),
    }  # fmt: skip
    for row in listed:
        cells = list(csv.DictReader((out / row["file"]).read_text().splitlines()))
        assert len(cells) == int(row["rows"])
        assert {cell["status"] for cell in cells} <= {"Good", "Bad"}
    assert await floorhand(*command) == 1, "a folder that is there is not mixed with another export"
    assert f"{out} is there already: an export never overwrites." in capsys.readouterr().err
    future = [*command[:-1], str(agent.folder / "none"), "--from", "2099-01-01T00:00Z"]
    assert await floorhand(*future) == 0
    assert capsys.readouterr().out.startswith("0 samples")


async def test_a_pattern_that_matches_nothing_is_told_with_those_that_there_are(
    agent: AgentProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    await enough(agent, 1)
    out = agent.folder / "refused.csv"
    command = ["export", "--address", agent.address, "--out", str(out), "--from", "2026-11-22T06:00"]
    assert await floorhand(*command, "--items", "pres/*") == 2
    told = capsys.readouterr().err
    assert "Nothing was kept of pres/*" in told
    assert "press/*" in told
    assert not out.exists()


async def stream(*parts: Samples | SampleGap) -> AsyncIterator[Samples | SampleGap]:
    for part in parts:
        yield part


HOSTILE = Samples(
    device="=plc", item="@item", times=[T0, T0 + 1, T0 + 2, T0 + 3, T0 + 4],
    statuses=["Good", "Good", "Good", "Good", "Bad"],
    values=["=HYPERLINK(1)", "-1", -1.5, ["NaN"], None],
)  # fmt: skip


async def test_a_text_is_no_formula_and_a_number_stays_one(tmp_path: Path) -> None:
    assert await write_csv(tmp_path / "a.csv", stream(HOSTILE)) == 5
    rows = list(csv.reader((tmp_path / "a.csv").read_text().splitlines()))[1:]
    assert [row[1:5] for row in rows] == [
        ["'=plc", "'@item", "'=HYPERLINK(1)", "Good"], ["'=plc", "'@item", "'-1", "Good"],
        ["'=plc", "'@item", "-1.5", "Good"], ["'=plc", "'@item", "NaN", "Good"], ["'=plc", "'@item", "", "Bad"],
    ]  # fmt: skip


async def test_names_from_outside_name_no_file(tmp_path: Path) -> None:
    evil = Samples(device="../..", item="../x", times=[T0], statuses=["Good"], values=[1])
    await write_columns(tmp_path / "out", stream(evil, HOSTILE))
    assert {path.name for path in tmp_path.rglob("*.csv")} == {
        "item-00001.csv", "item-00002.csv", "items.csv", "gaps.csv",
    }  # fmt: skip
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


async def test_an_export_that_is_cut_has_no_name_yet(tmp_path: Path) -> None:
    async def cut() -> AsyncIterator[Samples | SampleGap]:
        yield HOSTILE
        raise OSError

    with pytest.raises(OSError):
        await write_csv(tmp_path / "a.csv", cut())
    assert not (tmp_path / "a.csv").exists()


async def test_what_json_has_no_words_for_crosses_the_socket(tmp_path: Path) -> None:
    store = await opened(tmp_path, ManualClock())
    odd = [math.nan, math.inf, -math.inf, 1.5, 2**64 - 1, True, None, "NaN"]
    await store.append({"plc": Columns(["x"] * 8, [T0] * 8, [0] * 8, [*odd])})
    lines = [line async for line in sample_lines(store, None, None, ())]
    await store.close()
    assert b'[["NaN"],["Infinity"],["-Infinity"],1.5,18446744073709551615,true,null,"NaN"]' in lines[0]


def test_a_wrong_time_is_told_with_what_may_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["export", "--from", "five"])
    assert ended.value.code == 2
    assert "five is no time. Say 17:20, 2026-11-22T17:20" in capsys.readouterr().err
    assert parser().parse_args(["export"]).since == ""
    assert datetime.fromisoformat(parser().parse_args(["export", "--from", "17:20"]).since).tzinfo is not None
