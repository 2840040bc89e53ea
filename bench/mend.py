"""How long a start takes that has to mend its database, and how much memory: `python -m bench.soak --only mend`."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from pathlib import Path

from bench.figures import Figure, Goals
from bench.queued import AGENT, fill
from edge_agent.clock import SystemClock
from edge_agent.store import Store, journal

FACTS = 100_000
_PAGE = 4096
_PEAK = re.compile(r"VmHWM:\s*(\d+) kB")
_ZEROED = 50  # the page of the database that is gone

# A process of its own: what the peak of its memory was is known of a whole process only.
_MENDS = "import sys; from bench.mend import mend; mend(sys.argv[1])"


async def measure(folder: Path, facts: int = FACTS) -> list[Figure]:
    """Fill a journal, zero a page in its middle, start; raises RuntimeError when not every fact is back."""
    fill(folder, facts)
    with (folder / "journal.db").open("r+b") as file:
        file.seek(_ZEROED * _PAGE)
        file.write(bytes(_PAGE))
    (folder / "journal.suspect").write_text("what the look over found\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _MENDS, str(folder), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    seconds, megabytes, found = map(float, said.split())
    if process.returncode or found != facts:
        raise RuntimeError(f"Of {facts} facts {found:.0f} came back.")
    told = {"mend_facts": facts, "mend_seconds": seconds, "mend_megabytes": megabytes}
    goals = Goals()
    return [goals.figure(name, value) for name, value in told.items()]


def mend(folder: str) -> None:
    """Start once; writes seconds, MB at the peak, and how many facts are there in an unbroken chain."""
    asyncio.run(_mend(Path(folder)))


async def _mend(folder: Path) -> None:
    began = time.monotonic()
    store = await Store.open(folder / "journal.db", AGENT, SystemClock())
    seconds = time.monotonic() - began
    # proc(5); getrusage counts the process that forked it as well
    peak = int(_PEAK.findall(Path("/proc/self/status").read_text())[0]) / 1024
    found = await store.read(journal.last_seq) if await store.read(journal.verify) is None else 0
    await store.close()
    print(seconds, peak, found)
