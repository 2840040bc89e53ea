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

from edge_agent.demo.line import Line
from edge_agent.demo.plant import SCANNERS, Plant
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
    if await _taken(folder):
        return 1
    async with Plant(folder, _tell) as plant, ErpSwitch(plant):
        _tell(f"agent's log: {folder / 'agent.log'}")
        guide = folder / "guide.toml"
        guide.write_bytes(resources.files("edge_agent.demo").joinpath("guide.toml").read_bytes())
        program = Path(sys.executable).parent / "floorhand"
        _tell(
            f"another terminal: {program} terminal --site {plant.site} --terminal T2 "
            f"-- --guide {guide} --scan-pipe {folder / 'scan-2'}"
        )
        _tell(f"switch the ERP off and on: echo off > {folder / 'erp'}, echo on > {folder / 'erp'}")
        _tell(f"let it refuse reports on J-204: echo close J-204 > {folder / 'erp'}; take them: echo open J-204")
        _tell("leave: press Ctrl+C twice")
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)  # Ctrl+C is the terminal's
        line = Line()
        status = await _on_screen(plant, terminal, guide)
        if status < 0:  # killed: it could not give the line back itself
            line.mend()
            _tell(f"The terminal has ended (signal {-status}): so does the plant.")
        return 1 if status < 0 else status


async def _on_screen(plant: Plant, terminal: str, guide: Path) -> int:
    """How the terminal ended: its exit status, or minus the signal that ended it."""
    screen = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "terminal_ui", "--terminal", terminal, "--address", plant.address,
        "--guide", str(guide), "--scan-pipe", str(plant.folder / f"scan-{SCANNERS[terminal]}"),
    )  # fmt: skip
    try:
        return await screen.wait()
    finally:
        if screen.returncode is None:
            screen.terminate()
            await screen.wait()


async def _taken(folder: Path) -> bool:
    """Whether an agent runs in this folder already, which is told: two would share one journal."""
    if owner := await Plant.owner(folder):
        print(
            f"An agent runs in {folder} already (process {owner}): that of another demo, or one that was started by "
            "hand. End it first, or give another --folder.",
            file=sys.stderr,
        )
    return bool(owner)


async def _check(folder: Path) -> int:
    if await _taken(folder):
        return 1
    balance = await work_a_shift(folder, _tell)
    _tell(balance.words)
    print(json.dumps(balance.document()))
    return 0 if balance.ok else 1
