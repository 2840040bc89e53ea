"""The doctor names what is wrong with a PC, and what to do."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import msgspec
import pytest

from edge_agent.__main__ import main
from edge_agent.clock import SystemClock
from edge_agent.command_line.doctor import Finding, known
from edge_agent.store import Entry, Store
from edge_agent.store.outbox import JournalOutbox
from edge_agent.views.status import DeviceStatus
from sync.contract import Refused
from tests.agent.running import AGENT, AgentProcess, Plant, ask, plant_in, short_folder, site_text, wait
from tests.store.making import produced
from tests.support.erp_process import ErpProcess

MODBUS = """
[[devices]]
name = "press"
driver = "modbus"
options = {{ host = "127.0.0.1", port = {port}, points = [{{ name = "state", address = 0 }}] }}
"""


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, tuple[str, str]]]:
    code = main(["doctor", "--json", *arguments])
    found = json.loads(capsys.readouterr().out)
    return code, {each["what"]: (each["state"], each["words"]) for each in found}


def reached(plant: Plant) -> bool:
    """Whether the agent has its devices and its ERP."""
    health = json.loads(ask(plant.agent.socket, "GET", "/v1/health")[1])
    return {each["state"] for each in (*health["devices"], *health["links"])} == {"online", "up"}


def test_a_pc_without_a_site(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = asked(capsys)
    assert set(found) == {"python", "sqlite", "install", "clock"}
    assert found["python"][0] == found["sqlite"][0] == "good"
    assert code == 0


def test_a_site_that_works_but_for_what_is_unplugged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    erp = ErpProcess(tmp_path)
    erp.start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        with short_folder() as folder:
            (folder / "token").touch(mode=0o600)
            (folder / "token").write_text(erp.token_file.read_text())
            site = folder / "site.toml"
            site.write_text(site_text(["T1"], "/dev/serial/by-id/none", erp.url, MODBUS.format(port=port)))
            code, found = asked(capsys, "--site", str(site))
            assert code == 1
            assert found["erp"] == ("good", "The ERP answers, and takes the token.")
            assert found["press"][0] == "bad"
            assert found["scanner-1"][0] == "bad"
            assert "plugged in" in found["scanner-1"][1]
            assert found["disk room"][0] in ("good", "bad")
            assert " ms" in found["disk sync"][1]
            (folder / "token").write_text("wrong")
            assert asked(capsys, "--site", str(site))[1]["erp"][0] == "bad"
            (folder / "token").chmod(0o644)
            code, found = asked(capsys, "--site", str(site))
            assert code == 2
            assert "chmod 600" in found["site file"][1]
            assert [*folder.glob("data/*")] == [], "a look changes nothing"
    finally:
        erp.kill()


def test_a_running_agent_is_asked_and_not_disturbed(capsys: pytest.CaptureFixture[str]) -> None:
    with short_folder() as folder, plant_in(folder) as plant:
        wait(lambda: reached(plant), "all that the agent is to reach")
        code, found = asked(capsys, "--site", str(plant.agent.file))
        assert code == 0, found
        assert "The agent runs" in found["agent"][1]
        assert found["erp"][0] == "good"
        assert main(["doctor", "--site", str(plant.agent.file)]) == 0
        assert "disk sync" in capsys.readouterr().out




def test_what_a_device_that_works_still_needs_is_worth_a_look() -> None:
    status = DeviceStatus(name="d", driver="modbus", equipment="", state="online", since=SystemClock().now())
    said = msgspec.structs.replace(status, notice="Slow.", warnings=("Set `timeout`.",))
    assert [known(each) for each in (status, said, msgspec.structs.replace(said, state="lost", reason="Gone."))] == [
        Finding("d", "good", "online"), Finding("d", "look", "online Slow. Set `timeout`."),
        Finding("d", "bad", "lost Gone."),
    ]  # fmt: skip


async def left_behind(data: Path) -> None:
    """The journal of a PC whose ERP has refused a report."""
    data.mkdir(mode=0o700)
    clock = SystemClock()
    store = await Store.open(data / "journal.db", AGENT, clock)
    try:
        entry = Entry(clock.new_id(), produced())
        await store.write(lambda conn: store.record(conn, [entry], clock.now(), "T1", "P1"))
        await JournalOutbox(store, "erp", clock).settle([Refused(entry.id, "closed_order", "It is closed.")])
    finally:
        await store.close()


def test_a_connector_that_is_gone_is_named_with_what_waits_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    with short_folder() as folder:
        asyncio.run(left_behind(folder / "data"))
        agent = AgentProcess(folder, site_text())
        agent.start()
        try:
            state, words = asked(capsys, "--site", str(agent.file))[1]["agent"]
        finally:
            agent.end()
    assert state == "look"
    assert "Connector erp is no longer in the site file, and 1 report waits for it, 1 of them refused." in words


@pytest.mark.parametrize(("policies", "wanted"), [
    ("", {"PINs": "the role lead and the role admin may do", "locking": "lock_after_seconds = 300"}),
    ('pin_roles = ["lead"]', {"PINs": "the role admin may do", "locking": "never lock"}),
    ('pin_roles = ["lead", "admin"]\nlock_after_seconds = 300', {}),
])  # fmt: skip
def test_a_badge_alone_for_more_than_a_little_is_told(
    policies: str, wanted: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with short_folder() as folder:
        site = folder / "site.toml"
        site.write_text(site_text(policies=policies))
        code, found = asked(capsys, "--site", str(site))
        assert code == 0, "it works: a person decides"
        told = {what: each for what, each in found.items() if what in ("PINs", "locking")}
        assert {what: state for what, (state, _) in told.items()} == dict.fromkeys(wanted, "look")
        assert all(words in told[what][1] for what, words in wanted.items())
        assert main(["check", str(site)]) == 0
        assert capsys.readouterr().out.count("look: ") == len(wanted)
