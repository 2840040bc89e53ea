"""Takes machine values off the bus into the store of samples, in group commits; never in anybody's way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import config
from edge_agent.bus import Bus, Overflow, Subscription
from edge_agent.clock import Clock
from edge_agent.events import GapArrived, ValuesArrived
from edge_agent.machines.by_exception import ByException, Columns, Gap, Reason, Rule, microseconds, moment
from edge_agent.store.errors import StoreError
from edge_agent.store.samples import SampleStore
from edge_agent.store.samples_bounds import Bounds
from edge_agent.supervisor import Supervisor
from edge_agent.views.telemetry import TelemetryStatus

GROUP_SECONDS = 0.15  # a value waits no longer for its commit to begin
_QUIET_SECONDS = 5.0  # while nothing comes; a gap may seem to begin so much earlier
_WAITING = 20_000  # reads; some seconds of the fastest plant

Arrived = ValuesArrived | GapArrived

_log = logging.getLogger(__name__)


@asynccontextmanager
async def telemetry(
    settings: config.Settings, clock: Clock, bus: Bus, supervisor: Supervisor
) -> AsyncIterator[tuple[SampleStore, SamplePump]]:
    """The store of samples and its pump, filled from the bus for as long as the agent works. Raises StoreError."""
    said = settings.telemetry
    bounds = Bounds(said.max_bytes, timedelta(hours=said.max_age_hours))
    store = await _opened(settings.site.data / "samples.db", clock, bounds)
    pump = SamplePump(bus, store, by_exception(settings), clock)
    task = asyncio.create_task(supervisor.keep("telemetry", pump.run, lambda state: None))
    try:
        yield store, pump
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()


async def _opened(path: Path, clock: Clock, bounds: Bounds) -> SampleStore:
    """The store; one that is damaged is put aside, because reports must not wait for samples."""
    for _ in range(2):  # SQLite may call a file damaged after a failed read that goes by
        try:
            return await SampleStore.open(path, clock, bounds)
        except StoreError as error:
            if error.kind != "corrupt":
                raise
    _put_aside(path)
    return await SampleStore.open(path, clock, bounds)


def _put_aside(path: Path) -> None:
    aside = path.with_suffix(".damaged")  # the last one only: it may be large
    path.replace(aside)
    for side in ("-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)
    _log.error("telemetry.damaged", extra={"aside": str(aside)})


def by_exception(settings: config.Settings) -> ByException:
    """What the site file says about reporting. States, modes, counters and alarms have no deadband,
    whatever it says."""
    said = settings.telemetry
    exact = {
        (each.device, item)
        for each in settings.equipment
        for item in (each.state, *each.state_within, each.mode, each.count, each.scrap_count, each.alarm) if item
    }  # fmt: skip
    rules = [Rule(each.match, each.deadband, each.heartbeat) for each in said.items]
    return ByException(said.heartbeat, rules, exact)


class SamplePump:
    """Groups values, and keeps in mind what could not be kept until that can be recorded."""

    def __init__(self, bus: Bus, store: SampleStore, report: ByException, clock: Clock) -> None:
        self._bus = bus
        self._store = store
        self._report = report
        self._clock = clock
        self._begun = False
        self._taken = microseconds(clock.now())  # up to here everything is in the store, or told as a gap
        self._began: int | None = self._taken  # until the time before it is told
        self._gap: Gap | None = None
        self._marks: list[Gap] = []  # what devices could not tell, not recorded yet
        self._trouble = ""

    async def status(self) -> TelemetryStatus:
        """How much is kept, and whether. Never raises for the store: that is its trouble."""
        try:
            used = await self._store.usage()
        except StoreError as error:
            return TelemetryStatus(samples=0, bytes=0, max_bytes=self._store.max_bytes, trouble=str(error))
        return TelemetryStatus(
            samples=used.samples, bytes=used.bytes, max_bytes=self._store.max_bytes, dropped=used.dropped,
            oldest=None if used.first is None else moment(used.first), trouble=self._trouble,
        )  # fmt: skip

    async def run(self) -> None:
        """Values of devices into the store; until cancelled, then what waits is still kept."""
        if self._begun:
            self.miss("not_saved", 0)  # nobody listened since the last run ended
        while True:
            heard: Subscription[Arrived] = self._bus.subscribe(ValuesArrived, GapArrived, limit=_WAITING)
            with heard as events:
                if not self._begun:
                    self._begun = True
                    try:
                        await self._note_the_stop()  # values that come meanwhile wait
                    except StoreError as error:
                        self._say(str(error))
                try:
                    await self._groups(events)
                except Overflow:
                    self.miss("too_many", 0)

    async def _note_the_stop(self) -> None:
        """The time in which no agent ran is a gap: told before any value that is newer. Raises StoreError."""
        if self._began is None:
            return
        last = (await self._store.usage()).last
        if last is not None:
            await self._store.mark(Gap(min(last, self._began), self._began, "stopped"))
        self._began = None

    async def _groups(self, events: Subscription[Arrived]) -> None:
        """One commit for each group; it begins with its first value. Raises Overflow once values were missed."""
        begun, more = self._clock.monotonic(), True
        try:
            while True:
                if events.quiet and not more:
                    await self._something(events)
                    begun = self._clock.monotonic()
                await self._clock.sleep_until(begun + GROUP_SECONDS)
                begun = self._clock.monotonic()
                await self._keep(events.waiting())
                more = await self._tidy() or self._owes
        except asyncio.CancelledError:
            await self._keep(events.waiting())
            raise

    async def _something(self, events: Subscription[Arrived]) -> None:
        """Return when something comes, or it is time to look at what is kept."""
        pause = self._clock.monotonic() + _QUIET_SECONDS
        waits = [asyncio.ensure_future(each) for each in (events.arrival(), self._clock.sleep_until(pause))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    @property
    def _owes(self) -> bool:
        """Whether a gap is still to be recorded."""
        return self._began is not None or self._gap is not None or bool(self._marks)

    def miss(self, reason: Reason, count: int) -> None:
        """Values since the last commit are lost; the gap is recorded as soon as the store takes it."""
        now = microseconds(self._clock.now())
        since = min(self._taken, now) if self._gap is None else self._gap.since
        self._gap = Gap(since, now, reason, count=count + (self._gap.count if self._gap else 0))
        self._report.forget()

    async def _keep(self, arrived: list[Arrived]) -> None:
        taken = microseconds(self._clock.now())  # what comes from now on belongs to the next group
        samples = self._sifted(arrived)
        try:
            await self._note_the_stop()
            await self._store.append(samples)
            while self._marks:
                await self._store.mark(self._marks[0])
                del self._marks[0]
            if self._gap is not None:
                await self._store.mark(self._gap)
                self._gap = None
        except StoreError as error:
            self.miss("not_saved", _count(samples))
            self._say(str(error))
        else:
            self._taken = taken
            self._say("")

    def _sifted(self, arrived: list[Arrived]) -> dict[str, Columns]:
        """The values that are to be kept. After a gap its items are told anew: they need not be as before."""
        gaps = [each for each in arrived if isinstance(each, GapArrived)]
        for device, gap in ((each.device, each.gap) for each in gaps):
            since, until = microseconds(gap.since), microseconds(gap.until)
            self._marks.append(Gap(since, until, "device", device, gap.item or ""))
            self._report.forget(device)
        return self._report.sift((each.device, each.values) for each in arrived if isinstance(each, ValuesArrived))

    async def _tidy(self) -> bool:
        """One step of it; whether there may be more to do."""
        try:
            return await self._store.tidy()
        except StoreError as error:
            self._say(str(error))
            return True

    def _say(self, trouble: str) -> None:
        """Log once when it begins and once when it is over."""
        if trouble and not self._trouble:
            _log.error("telemetry.not_saved", extra={"what": trouble})
        if self._trouble and not trouble:
            _log.info("telemetry.saved_again")
        self._trouble = trouble


def _count(samples: Mapping[str, Columns]) -> int:
    return sum(len(columns.times) for columns in samples.values())
