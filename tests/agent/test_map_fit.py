"""A device that is not the machine of its map is told while the agent runs."""

from __future__ import annotations

import asyncio
from random import Random

from hypothesis import given
from hypothesis import strategies as st

import device_drivers
from device_drivers.contract import DataValues, StatusCode
from device_drivers.simulators.modbus_peer import Peer
from edge_agent.bus import Bus
from edge_agent.clock import SystemClock
from edge_agent.devices.kept_alive import Devices, DeviceSettings
from edge_agent.events import DeviceChanged
from edge_agent.machines.map_fit import MapFit
from edge_agent.supervisor import Supervisor
from tests.device_drivers.observing import options_of
from tests.support.manual_clock import START


async def test_what_a_modbus_device_reads_besides_its_map_is_a_warning_until_it_fits() -> None:
    clock, bus, sign = SystemClock(), Bus(), [7]
    async with Peer(word=lambda ask, address: sign[0]).on_tcp() as peer:
        points = [{"name": "model", "address": 2}, {"name": "power", "address": 3}]
        said = {"host": "127.0.0.1", "port": peer.port, "interval": 0.02, "points": points}
        settings = DeviceSettings("meter", "modbus", options_of("modbus", said), expect={"model": (203, 201)})
        devices = Devices([settings], device_drivers.load, clock, bus, Supervisor(clock, Random(1), strict=True))
        with bus.subscribe(DeviceChanged) as events:
            run = asyncio.create_task(devices.run())
            try:
                async with asyncio.timeout(5):
                    while not (words := (await anext(events)).status.warnings):
                        pass
                    assert words == (
                        "The map does not fit: model reads 7, and not 203 or 201. "
                        "Check its `parameters`; or this is another model.",
                    )
                    sign[0] = 201
                    while (await anext(events)).status.warnings:
                        pass
                assert devices.statuses()[0].state == "online"
            finally:
                run.cancel()
                await asyncio.gather(run, return_exceptions=True)


reads = st.lists(st.tuples(st.sampled_from(["sign", "power"]), st.sampled_from([None, 1, 2, 3, "SunS"])))


@given(reads)
def test_the_words_are_those_of_the_last_values_and_news_only_when_they_turn(told: list[tuple[str, str | int]]) -> None:
    fit, odd = MapFit({"sign": ("SunS", 1)}), False
    for item, value in told:
        status = StatusCode.BAD if value is None else StatusCode.GOOD
        was, before = odd, fit.words
        if item == "sign":
            odd = value not in (None, "SunS", 1)
        assert fit.take(DataValues((item,), (value,), status, START)) is (odd is not was)
        assert bool(fit.words) is odd
        assert odd is not was or fit.words == before
