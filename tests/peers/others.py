"""Starts what others wrote, and joins two serial ports."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.optional import missing, need

HERE = Path(__file__).resolve().parent


def need_node_package(name: str) -> str:
    """The path of node; skips when it, or the package, is not installed."""
    node = need("node")
    looked = subprocess.run(
        [node, "-e", f"require.resolve({name!r})"], cwd=HERE, capture_output=True, check=False
    )
    if looked.returncode:
        missing(f"the node package {name} is not installed: npm install --prefix tests/peers")
    return node


@contextmanager
def node_server(package: str, script: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """A server of a node package, with what it says when it is ready."""
    process = subprocess.Popen(
        [need_node_package(package), script, package, *arguments], cwd=HERE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@asynccontextmanager
async def joined_ports() -> AsyncIterator[tuple[str, str]]:
    """The names of two serial ports: what is written into one comes out of the other."""
    loop = asyncio.get_running_loop()
    pairs = [os.openpty(), os.openpty()]
    for _, near in pairs:
        tty.setraw(near)
    (one, one_near), (other, other_near) = pairs

    def carry(source: int, sink: int) -> None:
        with suppress(OSError):
            os.write(sink, os.read(source, 4096))

    loop.add_reader(one, carry, one, other)
    loop.add_reader(other, carry, other, one)
    try:
        yield os.ttyname(one_near), os.ttyname(other_near)
    finally:
        for descriptor in (one, other):
            loop.remove_reader(descriptor)
        for pair in pairs:
            for descriptor in pair:
                os.close(descriptor)
