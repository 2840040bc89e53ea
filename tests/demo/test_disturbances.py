"""What a shift was disturbed by is measured: what did not happen does not count."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from edge_agent.clock import SystemClock
from edge_agent.demo.network import Network
from edge_agent.demo.plant import Plant
from tests.agent.running import until


async def test_only_an_agent_that_died_by_sigkill_was_killed_and_an_outage_lasts_as_long_as_it_did() -> None:
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="fh-") as folder:
        async with Plant(Path(folder)) as plant:
            agent = plant._agent
            assert agent is not None
            agent.terminate()
            assert await agent.wait() == 0
            await plant.kill_agent()  # comes too late
            done = plant.disturbances()
            assert (done.kills, done.ends) == (0, 1)
            await plant.start_agent()
            await plant.kill_agent()
            assert (plant.disturbances().kills, plant.disturbances().ends) == (1, 1)

            assert plant.network.away_calls == 0
            async def called() -> bool:
                return plant.network.away_calls > 0

            began = clock.monotonic()
            await plant.erp_away()
            gone = clock.monotonic()
            await plant.start_agent()
            await until(called, "a call of the ERP that is away")
            missed = clock.monotonic()
            await plant.erp_back()
            assert missed - gone <= plant.disturbances().erp_away_seconds <= clock.monotonic() - began


async def test_only_the_answer_to_a_delivery_that_was_booked_is_a_lost_reply() -> None:
    answers = {b"GET": b"200 OK", b"POST": b"401 Unauthorized"}

    async def erp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(b"HTTP/1.1 " + answers[line.split()[0]] + b"\r\n")
        writer.close()

    server = await asyncio.start_server(erp, "127.0.0.1", 0)
    async with server, Network(server.sockets[0].getsockname()[1]) as network:
        reader, writer = await asyncio.open_connection("127.0.0.1", network.port)

        async def asked(what: bytes) -> bytes:
            writer.write(what + b"\r\n")
            return await reader.readline()

        network.lose_next_reply()
        assert await asked(b"GET /v1/plans") == b"HTTP/1.1 200 OK\r\n"
        assert await asked(b"POST /v1/facts") == b"HTTP/1.1 401 Unauthorized\r\n"
        assert await asked(b"GET /v1/plans") == b"HTTP/1.1 200 OK\r\n"
        assert network.lost_replies == 0
        answers[b"POST"] = b"200 OK"
        assert await asked(b"POST /v1/facts") == b""
        assert network.lost_replies == 1
        writer.close()
