"""`floorhand demo`: the plant on one PC, with a terminal on it, or a scripted shift without a screen."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Coroutine
from contextlib import ExitStack
from importlib import resources
from pathlib import Path

from edge_agent.demo.plant import Plant
from edge_agent.demo.shift import work_a_shift
from edge_agent.demo.switch import ErpSwitch


def demo(given: argparse.Namespace) -> int:
    """0 when the terminal was left, or the shift's balance is right; 1 when it is not."""
    with ExitStack() as stack:
        # A socket path is short by law (107 bytes): the system's own temporary folder it is.
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="floorhand-")))
        work = _check(folder.resolve()) if given.check else _open(folder.resolve(), given.terminal)
        try:
            return asyncio.run(_until_told(work))
        except asyncio.CancelledError:
            return 1


async def _until_told(work: Coroutine[None, None, int]) -> int:
    """Run it; a SIGTERM, or a window that is closed, ends the whole plant and not only its parent."""
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    return await task


def _tell(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


async def _open(folder: Path, terminal: str) -> int:
    print("Starting the demo plant ...", file=sys.stderr, flush=True)
    if await Plant.is_running(folder):
        print(f"A demo runs in {folder} already. Leave it first, or give another --folder.", file=sys.stderr)
        return 1
    async with Plant(folder, _tell) as plant, ErpSwitch(plant):
        _tell(f"agent's log: {folder / 'agent.log'}")
        program = Path(sys.executable).parent / "floorhand"
        _tell(f"another terminal: {program} terminal --site {plant.site} --terminal T2")
        _tell(f"switch the ERP off and on: echo off > {folder / 'erp'}, echo on > {folder / 'erp'}")
        _tell("leave: press Ctrl+C twice")
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl+C is the terminal's
        with resources.as_file(resources.files("edge_agent.demo").joinpath("guide.toml")) as guide:
            scanner = 2 if terminal == "T2" else 1
            screen = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "terminal_ui", "--terminal", terminal, "--address", plant.address,
                "--guide", str(guide), "--scan-pipe", str(folder / f"scan-{scanner}"),
            )  # fmt: skip
            try:
                return await screen.wait()
            finally:
                if screen.returncode is None:
                    screen.terminate()
                    await screen.wait()


async def _check(folder: Path) -> int:
    balance = await work_a_shift(folder, _tell)
    print(json.dumps(balance.document()))
    return 0 if balance.ok else 1
