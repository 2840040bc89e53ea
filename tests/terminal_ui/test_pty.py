"""The program as it is started, on a real terminal line, at a real socket."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import psutil

from edge_agent.views import Input, View
from tests.terminal_ui.line import line
from tests.terminal_ui.samples import STATUS, VIEWS

MEMORY_LIMIT = 60 * 1024 * 1024


class SocketAgent:
    """Just enough of the local API for one terminal: the event stream, and an answer to every input."""

    def __init__(self, first: View, answer: View) -> None:
        self.inputs: list[Input] = []
        self._first, self._answer = first, answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if head.startswith(b"GET /v1/events"):
                    await self._stream(writer)
                else:
                    await self._input(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for name, event in (("view", self._first), ("status", STATUS)):
            writer.write(f"event: {name}\ndata: ".encode() + msgspec.json.encode(event) + b"\n\n")
        await writer.drain()
        await asyncio.Event().wait()

    async def _input(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = next(
            int(row.split(b":")[1]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-le")
        )
        self.inputs.append(msgspec.json.decode(await reader.readexactly(length), type=Input))
        body = msgspec.json.encode(msgspec.structs.replace(self._answer, input=self.inputs[-1].id))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()


@asynccontextmanager
async def agent(path: Path, first: View, answer: View) -> AsyncIterator[SocketAgent]:
    socket_agent = SocketAgent(first, answer)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(socket_agent.serve(reader, writer)))

    server = await asyncio.start_unix_server(connected, path)
    try:
        yield socket_agent
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_painted_screen_a_wedge_scan_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    answer = msgspec.structs.replace(VIEWS["pick_item"], revision=8)
    async with agent(path, VIEWS["pick_go"], answer) as served, line(path) as terminal:
        await terminal.shows(lambda: "Go to A-02-1" in terminal.text and "ERP ok" in terminal.text)
        terminal.type(b"L:A-02-1.T\r")
        await terminal.shows(lambda: "Scan BRG-6204, lot L2291" in terminal.text)
        assert [(given.kind, given.data) for given in served.inputs] == [("scan", "L:A-02-1.T")]
        await terminal.press(b"\x11")  # Ctrl+Q
        await terminal.press(b"\x1bOP")  # F1
        await terminal.shows(lambda: "What can I do now?" in terminal.text)
        assert psutil.Process(terminal.process.pid).memory_info().rss < MEMORY_LIMIT
        terminal.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(terminal.process.wait(), 5) == 0


async def test_a_handheld_without_an_agent_says_so_and_attaches_when_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    async with line(path, 40, 16) as terminal:
        await terminal.shows(lambda: "AGENT AWAY" in terminal.text)
        async with agent(path, VIEWS["sign_on"], VIEWS["dispatch"]):
            await terminal.shows(
                lambda: "Scan your badge." in terminal.text and "AGENT AWAY" not in terminal.text
            )
            terminal.type(b"\x03")
            await terminal.shows(lambda: "Ctrl+C once more" in terminal.text)
            terminal.type(b"\x03")
            assert await asyncio.wait_for(terminal.process.wait(), 5) == 0


async def test_a_terminal_whose_line_is_cut_does_not_stay_behind(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    async with agent(path, VIEWS["sign_on"], VIEWS["dispatch"]), line(path) as terminal:
        await terminal.shows(lambda: "Scan your badge." in terminal.text)
        terminal.cut()
        await asyncio.wait_for(terminal.process.wait(), 8)
        assert terminal.process.returncode is not None


async def test_an_address_that_is_none_is_refused_with_a_sentence(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "terminal_ui", "--terminal", "T1", "--address", "tcp:x",
        stderr=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    _, told = await process.communicate()
    assert process.returncode == 2
    assert b"must be unix:" in told
