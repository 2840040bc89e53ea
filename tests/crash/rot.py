"""Damaged images of an agent's folder, each opened as a start does it and worked with: found, and all as it was.

Every third image is of a journal that is longer than what a start looks at: what is older is found by the look over,
and the start that follows mends it, as the agent makes it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

from edge_agent.clock import SystemClock
from edge_agent.store import Store, StoreError, journal, looking_over, recovery
from edge_agent.store.outbox import JournalOutbox
from sync.contract import Applied
from tests.crash.images import DAMAGES, DELIVERED, FACTS, Image, image
from tests.sim.bugs import swapped

KINDS = tuple(DAMAGES)
_SHORT = 50  # rows that a start looks at, of a journal that is too long for it
_LIVES = 3  # starts within which all is well

# What people are shown and what the ERP gets, whole. `delivered` and `plan` are told and pulled anew by a mend.
_CONTENT = (
    "SELECT seq, id, agent, event_time, record_time, clock_ok, terminal, person, payload FROM journal ORDER BY seq",
    "SELECT job, kind, requirement, seq, amount FROM job_total ORDER BY job, kind, requirement, seq",
)


async def damaged(folder: Path, first: int, count: int) -> Counter[str]:
    """So many images, one kind after the other. `undetected`, `missing`, `differing` and `broken` must be 0."""
    whole, counts = await image(folder), Counter[str]()
    plain = _read(shutil.copytree(whole.folder, folder / "sound"))
    assert plain is not None
    for number in range(first, first + count):
        seed, kind = divmod(number, len(KINDS))
        place = shutil.copytree(whole.folder, folder / f"image-{number}")
        DAMAGES[KINDS[kind]](place, Random(seed))
        read = _read(shutil.copytree(place, folder / "plain"))
        harmed = read is None or read[0] != plain[0]  # totals that rot are put right without a word to people
        with _long(seed % 3 == 2):
            counts.update(await _lived(place, whole, plain, harmed))
        shutil.rmtree(folder / "plain")
        shutil.rmtree(place)
    return counts


@contextmanager
def _long(too_long: bool) -> Iterator[None]:
    """The journal is longer than what a start looks at, if so."""
    if not too_long:
        yield
        return
    with ExitStack() as stack:
        for module in (recovery, looking_over):
            stack.enter_context(swapped(module, "CHECKED", _SHORT))
        for name in ("_WHOLE", "_QUICK"):
            stack.enter_context(swapped(recovery, name, 0))
        yield


def _read(folder: Path) -> list[list[tuple[object, ...]]] | None:
    """What a program that just opens the database reads; None: it can not."""
    try:
        with closing(sqlite3.connect(folder / "journal.db")) as conn:
            return [conn.execute(query).fetchall() for query in _CONTENT]
    except (sqlite3.Error, UnicodeDecodeError):  # damaged text is no UTF-8
        return None


async def _lived(folder: Path, whole: Image, plain: object, harmed: bool) -> Counter[str]:
    """Starts, each with a whole look over, until one has nothing to mend."""
    counts = Counter(images=1, harmed=harmed, rows=FACTS)
    told, found, broken = False, list[Any](), True
    sent: list[list[str]] = []
    for _ in range(_LIVES):
        try:
            store = await Store.open(folder / "journal.db", "agent-1", SystemClock())
        except StoreError:
            return counts + Counter(missing=FACTS, refused_starts=1)
        try:
            told = told or bool(await store.problems())
            while not await store.look_over(FACTS):
                pass
            told = told or bool(await store.problems())
            if not store.damage:
                found = [await store.read(lambda conn, q=query: conn.execute(q).fetchall()) for query in _CONTENT]  # type: ignore[misc]
                broken = await store.read(journal.verify) is not None
                sent.append([])
                await _drain(store, sent[-1])
                break
        except StoreError as error:  # met at work, where the agent believes it and starts again
            told = True
            await store.believe(str(error))
        finally:
            await store.close()
    missing = len({*whole.ids} - {row[1] for row in found[0]}) if found else FACTS
    differs = found != plain or not _all_sent(whole, sent)
    counts.update(detected=told, undetected=harmed and not told, missing=missing, differing=differs, broken=broken)
    return counts


async def _drain(store: Store, sent: list[str]) -> None:
    """The ids that go to the ERP from here, in their order; each is taken once."""
    outbox = JournalOutbox(store, "erp", SystemClock())
    while facts := await outbox.pending(100):
        sent += [fact.id for fact in facts]
        await outbox.settle([Applied(fact.id, "B") for fact in facts])


def _all_sent(whole: Image, sent: Sequence[Sequence[str]]) -> bool:
    """Whether the ERP got the rest in order, over all starts; or everything anew, where a mend has it asked again."""
    rest = [*whole.ids[DELIVERED:]]
    return sent[-1:] == [[*whole.ids]] or list(dict.fromkeys(id for part in sent for id in part)) == rest
