"""A writer that is killed at any moment, in housekeeping too, loses nothing that it called kept."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from edge_agent.clock import SystemClock
from tests.telemetry.making import held, opened, settled

KILLS = 6

_WRITER = """
import asyncio, sys
from pathlib import Path
from edge_agent.clock import SystemClock
from tests.telemetry.making import columns, opened

async def main():
    store = await opened(Path(sys.argv[1]), SystemClock())
    number = int(sys.argv[2])
    while True:
        await store.append({"plc": columns(*((f"i{n}", number, number) for n in range(20)))})
        print(number, flush=True)
        await store.tidy()
        number += 1

asyncio.run(main())
"""


async def test_every_sample_that_was_called_kept_survives_kill_9(tmp_path: Path) -> None:
    saved = 0
    for _ in range(KILLS):
        command = [sys.executable, "-c", _WRITER, str(tmp_path), str(saved + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(random.randint(1, 80)):
                saved = int(writer.stdout.readline())
            writer.kill()
            # What was printed before the kill arrived counts too; the last line may be cut.
            saved = max([saved, *(int(line) for line in writer.stdout if line.endswith("\n"))])

    store = await opened(tmp_path, SystemClock())
    try:
        for _ in range(2):
            found = await held(store)
            assert len(found) == 20
            for samples in found.values():
                numbers = [number for number, _ in samples]
                # A group whose answer was lost with the process may be there; the next writer gave its number again.
                assert sorted({*numbers}) == list(range(1, max(numbers) + 1))
                assert saved <= max(numbers) <= saved + 1
                assert len(numbers) - len({*numbers}) <= KILLS
                assert all(number == value for number, value in samples)
            await settled(store)
    finally:
        await store.close()
