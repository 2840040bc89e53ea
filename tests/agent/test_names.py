"""Names of devices that nobody can resolve: they hold up nobody else, neither at work nor at the end."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_drivers.simulators.process import Simulator
from edge_agent.client import AgentClient
from edge_agent.devices.names import NamesLoop, run
from tests.agent.running import AgentProcess, short_folder, site_text, until
from tests.support.dns import SILENT_FOR_DEAD, dns

DEAD = 140
POINTS = 'points = [{ name = "x", address = 2 }]'


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentProcess]:
    """An agent with very many devices for whose names DNS never answers, and behind them a healthy one by name."""
    with short_folder() as folder, Simulator.start("modbus_peer") as peer, pytest.MonkeyPatch.context() as patch:
        (folder / "sitecustomize.py").write_text(SILENT_FOR_DEAD, encoding="utf-8")
        patch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        running = AgentProcess(folder, site_text(more=devices(peer.ready["port"])))
        running.start()
        try:
            yield running
        finally:
            running.end()


def devices(port: int) -> str:
    """The dead ones first: whoever comes first takes the threads."""
    hosts = [f"plc{number}.dead" for number in range(DEAD)] + ["localhost"]
    return "\n".join(
        f'[[devices]]\nname = "{host}"\ndriver = "modbus"\n'
        f'[devices.options]\nhost = "{host}"\nport = {port}\ntimeout = 0.2\n{POINTS}'
        for host in hosts
    )


async def test_names_that_nobody_resolves_hold_up_no_other_device_and_not_the_end(agent: AgentProcess) -> None:
    async with AgentClient(agent.address) as client:

        async def healthy() -> bool:
            return any(each.name == "localhost" and each.last_good for each in await client.devices())

        async def tried_thrice() -> bool:
            return all(each.tries >= 3 for each in await client.devices() if each.name.endswith(".dead"))

        await until(healthy, "the device that has a name which resolves")
        await until(tried_thrice, "every dead one to be tried three times")
        told = {each.reason for each in await client.devices() if each.name == "plc7.dead"}
        assert told == {
            "The name plc7.dead can not be resolved: DNS does not answer within 0.2 s. Check the spelling of the "
            "name in the site file, or DNS, or use an address instead."
        }
        assert (await client.view("T1")).terminal == "T1"  # the database works
    threads = len([*Path(f"/proc/{agent.pid}/task").iterdir()])
    assert threads < DEAD + 20, "one for each name, however often it is tried"
    assert agent.stop() == 0


def test_a_name_is_looked_up_once_at_a_time_and_a_late_answer_is_for_the_next_who_asks() -> None:
    async def answered() -> bool:
        return not any(each.name == "name 'press'" for each in threading.enumerate())

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        resolver.silent = True
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(loop.getaddrinfo("press", 502), 0.01)
        assert resolver.asked == 1
        resolver.silent = False
        await until(answered, "the late answer")
        first, second = await asyncio.gather(loop.getaddrinfo("press", 502), loop.getaddrinfo("press", 502))
        assert first == second
        assert first[0][4] == ("127.0.0.1", 502)
        assert resolver.asked <= 2, "those who ask at once wait for one answer"

    with dns("press") as resolver:
        run(ask())


def test_what_is_no_name_is_refused_as_by_the_system() -> None:
    async def ask(host: str) -> None:
        await asyncio.get_running_loop().getaddrinfo(host, 502)

    for host, error in (("press..invalid", ValueError), ("press.invalid", socket.gaierror)):
        with pytest.raises(error):
            run(ask(host))


def test_a_loop_that_ends_does_not_wait_for_a_name() -> None:
    async def ask() -> None:
        asyncio.get_running_loop().create_task(asyncio.get_running_loop().getaddrinfo("press", 502))
        await asyncio.sleep(0)
        assert isinstance(asyncio.get_running_loop(), NamesLoop)

    with dns("press") as resolver:
        resolver.silent = True
        run(ask())  # returns
        assert resolver.asked == 1
