"""A scanner under test in a running agent: its bytes are told, written down, and are no scans meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from edge_agent.client import AgentClient, InputRefused
from edge_agent.scanning.labels import label
from edge_agent.site import load_site
from edge_agent.views import Input, Kind
from edge_agent.views.scanner_report import ScannerReport
from tests.agent.running import PATIENCE, Plant, plant_in, short_folder, until

LABEL = "]C110A1\x1d217"
TABLE = '[site]\nname = "Test"\nagent = "test"\n\n[[terminals]]\nid = "T1"\n\n'


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    """An agent with a scanner, for this module."""
    with short_folder() as folder, plant_in(folder, terminals=2) as running:
        yield running


async def scanned(plant: Plant, client: AgentClient, *texts: str) -> list[ScannerReport]:
    """The reports of a test in which each text is scanned once the one before was told."""
    told: list[ScannerReport] = []
    async with asyncio.timeout(PATIENCE), aclosing(client.scanner_test("T1")) as reports:
        waiting = list(texts)
        async for report in reports:
            if told and len(report.readings) == len(told[-1].readings) == 0:
                continue
            told.append(report)
            if not waiting:
                break
            plant.scanner.scan(waiting.pop(0))
    return told


async def test_three_scans_tell_how_the_scanner_is_set_and_are_no_scans(plant: Plant, tmp_path: Path) -> None:
    async with AgentClient(f"unix:{plant.agent.socket}") as client:
        before = await client.view("T1")
        async with asyncio.timeout(PATIENCE), aclosing(client.scanner_test("T1")) as reports:
            first = await anext(reports)
            assert (first.scanners, first.known, first.wanted) == (("scanner-1",), "10A1<FNC1>217", 3)
            assert len(first.code[0]) <= 80
            with pytest.raises(InputRefused) as busy:
                await anext(client.scanner_test("T1"))
            assert busy.value.problem.code == "scanner_page.busy"
            assert (await not_written(client))[0] == "scanner_page.nothing_found"
            for number in range(1, 4):
                plant.scanner.scan(LABEL)
                report = await anext(reports)
                while len(report.readings) < number:
                    report = await anext(reports)
                if number < 3:
                    assert await not_written(client) == ("scanner_page.scan_more", {"n": str(3 - number)})
            assert report.readings[-1].shown == "]C110A1<GS>217<CR>"
            assert report.readings[-1].hex.endswith("1D 32 31 37 0D")
            finding = report.finding
            assert finding is not None
            assert (finding.suffix, finding.aim, finding.separator, finding.faults) == ("<CR>", "]C1", "kept", ())
            written = Path((await client.write_scanner("T1")).written)
        assert written.parent == plant.agent.folder / "data"
        site = tmp_path / "site.toml"
        site.write_text(TABLE + written.read_text("utf-8"), encoding="utf-8")
        scanner = load_site(site).scanners[0]
        assert (scanner.name, scanner.terminal, scanner.options.port) == ("scanner-1", "T1", plant.scanner.port)
        assert scanner.options.aim is True
        assert (await client.view("T1")).revision == before.revision

        async def at_work() -> bool:
            plant.scanner.scan(label(Kind.BADGE, "1001"))
            return (await client.view("T1")).who is not None

        await until(at_work, "the scanner is at work again")
        await client.send("T1", Input("leave", "action", "sign_off"))


async def not_written(client: AgentClient) -> tuple[str, dict[str, str]]:
    """Why nothing can be written."""
    with pytest.raises(InputRefused) as refused:
        await client.write_scanner("T1")
    return refused.value.problem.code, refused.value.problem.params


async def test_what_stands_in_the_way_of_writing_is_said(plant: Plant) -> None:
    address = f"unix:{plant.agent.socket}"
    async with (
        AgentClient(address) as client, asyncio.timeout(PATIENCE), aclosing(client.scanner_test("T1")) as reports,
    ):  # fmt: skip
        await anext(reports)
        plant.scanner.scan("4006381333931")
        while not (report := await anext(reports)).problem:
            pass
        assert await not_written(client) == ("scanner_page.no_label", {"known": report.known})


async def test_a_lost_fnc1_and_another_label_are_told(plant: Plant) -> None:
    async with AgentClient(f"unix:{plant.agent.socket}") as client:
        *_, last = await scanned(plant, client, "10A1217", "10A1217", "10A1217")
        assert last.finding is not None
        assert last.finding.faults == ("no_aim", "fnc1_lost")
        *_, last = await scanned(plant, client, "4006381333931")
        assert (last.problem, last.finding) == ("no_label", None)
        *_, last = await scanned(plant, client, LABEL, "#" + LABEL)
        assert last.problem == "differs"


async def test_noise_without_an_end_stays_bounded(plant: Plant) -> None:
    async with AgentClient(f"unix:{plant.agent.socket}") as client:
        *_, last = await scanned(plant, client, "x" * 3_000)
        assert last.problem == "no_label"
        assert len(last.readings[0].shown) <= 2_048


async def test_a_terminal_without_a_scanner_is_refused_in_words(plant: Plant) -> None:
    async with AgentClient(f"unix:{plant.agent.socket}") as client:
        with pytest.raises(InputRefused) as none:
            await anext(client.scanner_test("T2"))
        assert none.value.problem.code == "scanner_page.no_scanner"
        with pytest.raises(InputRefused) as unknown:
            await anext(client.scanner_test("T9"))
        assert unknown.value.problem.code == "agent.unknown_terminal"
        with pytest.raises(InputRefused) as stopped:
            await client.write_scanner("T2")
        assert stopped.value.problem.code == "scanner_page.not_running"


async def test_what_can_not_be_written_is_said(plant: Plant) -> None:
    data = plant.agent.folder / "data"
    async with (
        AgentClient(f"unix:{plant.agent.socket}") as client,
        asyncio.timeout(PATIENCE),
        aclosing(client.scanner_test("T1")) as reports,
    ):
        report = await anext(reports)
        while report.finding is None:
            plant.scanner.scan(LABEL)
            count = len(report.readings)
            while len(report.readings) == count and report.finding is None:
                report = await anext(reports)
        path = data / "scanner-scanner-1.toml"
        path.unlink(missing_ok=True)
        path.mkdir()
        with pytest.raises(InputRefused) as refused:
            await client.write_scanner("T1")
        assert refused.value.problem.code == "scanner_page.not_written"
        path.rmdir()
