"""Answers go at once: each is written in two parts, and the second must not wait until the first is acknowledged."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from edge_agent.local_api.unix_socket import LocalSocket
from sync.reference_erp import listen


@pytest.mark.parametrize("listening", [listen, LocalSocket.loopback], ids=["reference ERP", "local API"])
async def test_what_is_accepted_does_not_wait_for_the_other_side(listening: Callable[[int], socket.socket]) -> None:
    taken: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        taken.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    server = await asyncio.start_server(answer, sock=listening(0))
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await asyncio.wait_for(taken, 5)
        writer.close()
