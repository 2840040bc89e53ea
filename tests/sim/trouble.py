"""What goes wrong in a run: the network, the power, the disks, the clocks, the office. All of it ends with `heal`."""

from __future__ import annotations

import asyncio
import errno
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid5

import msgspec

from edge_agent.client import AgentAway
from edge_agent.store import Connection, StoreError, sessions
from edge_agent.terminals.session import Session
from sync.contract import DispatchStatus, Fact, JobOrder, JobStarted, MaterialDefinition, PlanKey, SignedOff
from tests.sim import plant
from tests.sim.clock import passing
from tests.sim.erp import Erp
from tests.sim.net import Weather
from tests.sim.pc import Pc
from tests.sim.people import Person

_QUANTITY = '"quantity":"'
_UNSENT = """
    SELECT seq, payload FROM journal
    WHERE seq > (SELECT max(seq) FROM delivered) AND seq <= ? AND kind = 'MaterialProduced'
    ORDER BY seq LIMIT 1
"""
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)  # no PC goes below it


class Trouble:
    """How often something happens, and what, is the character of the seed.

    `closed`: jobs that the office closed under the hands of people. `taken`: ids under which the ERP has something
    else. `rotten`: the disk has not kept its word. `counts`: how often each happened.
    """

    def __init__(
        self, dice: Random, pc: Pc, erp: Erp, weather: Weather, people: Sequence[Person], note: Callable[..., None]
    ) -> None:
        self.closed: set[str] = set()
        self.taken: set[str] = set()
        self.rotten = False
        self.rough: dict[str, bool] = {}
        self._wrong: dict[str, JobOrder | MaterialDefinition] = {}  # what the office has wrong, as it should be
        self.counts: Counter[str] = Counter()
        self._dice, self._pc, self._erp, self._weather = dice, pc, erp, weather
        self._people, self._note = people, note
        # A chance of its own: what is drawn here changes nothing else of a seed.
        self._still = Random(dice.getstate()[1][0])
        erp.careless = self._still.random() < 0.5
        self._row_rotten = False

    async def run(self) -> None:
        """Now and then something goes wrong; how often, and what, is the character of the seed."""
        dice, pace = self._dice, self._dice.choice((1.5, 4.0, 9.0))
        usual = ("disk", "terminal", "clock", "office", "kill", "refuse")
        self.rough = rough = {name: dice.random() < 0.6 for name in usual}
        rough["rot"], rough["taken"] = dice.random() < 0.35, dice.random() < 0.25
        self._ambience()
        kinds = [self._network, self._network, self._erp_off, self._power_off]
        kinds += [act for name, act in (
            ("disk", self._disk_fails), ("terminal", self._terminal_dies), ("clock", self._clock_jumps),
            ("office", self._office), ("office", self._office), ("kill", self._kill), ("rot", self._rots),
            ("refuse", self._refuses), ("refuse", self._refuses), ("taken", self._takes_id),
        ) if rough[name]]  # fmt: skip
        while True:
            await passing(dice.expovariate(1 / pace))
            act = dice.choice(kinds)
            self._note("trouble", act.__name__)
            self.counts[act.__name__.strip("_")] += 1
            await act()

    def _ambience(self) -> None:
        dice, sky = self._dice, self._weather
        sky.lose, sky.lose_reply = dice.choice((0.0, 0.05, 0.2)), dice.choice((0.0, 0.05, 0.2))
        sky.double, sky.garble = dice.choice((0.0, 0.1)), dice.choice((0.0, 0.05, 0.15))
        sky.delay = dice.choice((0.02, 0.3, 0.9))
        for person in self._people:
            person.line.breaks = dice.choice((0.0, 0.03, 0.1))

    async def _network(self) -> None:
        self._weather.cut = self._dice.random() < 0.6
        self._weather.portal = not self._weather.cut
        await passing(self._dice.choice((0.3, 2.0, 8.0)))
        self._weather.cut = self._weather.portal = False

    async def _erp_off(self) -> None:
        if self._erp.books is not None:
            self._erp.power_off()

    async def _power_off(self) -> None:
        if self._pc.running is not None:
            self._pc.power_off()

    async def _kill(self) -> None:
        if self._pc.running is not None:
            self._pc.kill()

    async def _rots(self) -> None:
        """A file of the database decays while the PC is off. Where people stood is not trusted after that."""
        if self._pc.running is None:
            return
        dice, how = self._dice, self._dice.choice(("bit", "bits", "zeros", "cut", "text"))
        name = "/data/journal.db" if how == "text" else dice.choice(("/data/journal.db", "/data/journal.db-wal"))

        def harm(content: bytearray) -> None:
            match how:
                case "bit":
                    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
                case "bits":
                    for _ in range(20):
                        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
                case "zeros":
                    start = dice.randrange(len(content)) // 4096 * 4096
                    content[start : start + 4096] = bytes(len(content[start : start + 4096]))
                case "text":  # of a trigger; no check of SQLite reads it
                    begins = [at.start() for at in re.finditer(b"TRIGGER journal_chain", content)] or [0]
                    place = dice.choice(begins) + dice.randrange(20, 300)
                    content[min(place, len(content) - 1)] ^= 1 << dice.randrange(5)
                case "cut":
                    del content[dice.randrange(len(content)) :]

        self._pc.kill()
        if self._pc.platter.rot(name, harm):
            self.rotten = True
            for person in self._people:
                person.unsure += 1

    async def decay(self) -> None:
        """Rot that SQLite does not notice and that no start looks for, in some seeds: in how far the ERP is, and in a
        report that waits for it."""
        dice = self._still
        if dice.random() >= 0.4:
            return
        rots = [self._cursor_rots] if self._pc.habits.keep is not None else [self._cursor_rots, self._row_rots]
        while True:
            await passing(dice.expovariate(1 / 6))
            act = dice.choice(rots)
            while not await self._hits(act):
                await passing(0.2)
            self._note("decay", act.__name__)
            self.counts[act.__name__.strip("_")] += 1
            self.rotten = True

    async def _hits(self, act: Callable[[Connection], bool]) -> bool:
        """Whether the agent is there, and has what can rot."""
        try:
            return await self._pc.ask(lambda running: running.store.write(act))
        except (AgentAway, StoreError):
            return False

    def _cursor_rots(self, conn: Connection) -> bool:
        """One bit that makes the number higher."""
        bit = 1 << self._still.randrange(2, 7)
        return conn.execute("UPDATE delivered SET seq = seq + ?1 WHERE seq & ?1 = 0", (bit,)).rowcount > 0

    def _row_rots(self, conn: Connection) -> bool:
        """One bit in a quantity that nobody has sent yet: where people stood is not trusted once it is found.

        Of a report that has its second copy: while the disk fails there may be none yet.
        """
        running = self._pc.running
        row = conn.execute(_UNSENT, (running.store._mirror.reached if running is not None else 0,)).fetchone()
        if row is None:
            return False
        seq, payload = row
        at = payload.index(_QUANTITY) + len(_QUANTITY)
        (guard,) = conn.execute("SELECT sql FROM sqlite_master WHERE name = 'journal_update'").fetchone()
        conn.execute("DROP TRIGGER journal_update")
        changed = payload[:at] + chr(ord(payload[at]) ^ 1) + payload[at + 1 :]
        conn.execute("UPDATE journal SET payload = ? WHERE seq = ?", (changed, seq))
        conn.execute(guard)
        self._row_rotten = True
        for person in self._people:
            person.unsure += 1
        return True

    async def _terminal_dies(self) -> None:
        self._dice.choice(self._people).crash()

    async def _clock_jumps(self) -> None:
        now = self._pc.clock.now()
        year = timedelta(days=365)
        self._set_clock(self._dice.choice((now + year, now - timedelta(hours=1), _ZERO, now - year)))

    def _set_clock(self, to: datetime) -> None:
        self._pc.clock.set_to(max(to, _ZERO))

    async def _disk_fails(self) -> None:
        """The disk is full, or fails at times, and the program may be killed over it."""
        dice, number = self._dice, self._dice.choice((errno.EIO, errno.ENOSPC))
        chance, only = dice.choice((0.1, 0.5, 1.0)), dice.choice(("", "sync", "read"))

        def fault(what: str) -> int:
            asked = only == what or (not only and what not in ("remove", "read"))
            return (errno.EIO if what == "read" else number) if asked and dice.random() < chance else 0

        self._pc.platter.fault = fault
        await passing(dice.uniform(0.2, 3.0))
        if dice.random() < 0.4 and self._pc.running is not None:
            self._pc.kill()
        self._pc.platter.fault = lambda what: 0

    async def _office(self) -> None:
        """An order is closed while people work on it, and perhaps opened again; or it gets a new quantity.

        Opened soon, it finds them still at it: behind what was refused come reports that would be accepted.
        """
        id = self._dice.choice(plant.JOBS[:3])
        if self._dice.random() < 0.8:
            self.closed.add(id)
            self._erp.close_order(id)
            await passing(self._dice.choice((1.0, 3.0, 10.0)))
        if self._dice.random() < 0.8:
            self._erp.put(plant.job(id, 5000 + self._dice.randint(1, 9)))

    async def _refuses(self) -> None:
        """The office has something wrong for a while, and people go on: the ERP refuses what they report.

        Put right, it finds them still at it: behind what was refused come reports that would be accepted.
        """
        dice, what = self._dice, self._dice.choice(("job", "material", "order", "material"))
        right: JobOrder | MaterialDefinition
        wrong: JobOrder | PlanKey
        match what:
            case "job":
                id = dice.choice(plant.JOBS[:3])
                wrong, right = plant.job(id, 1), plant.job(id, 5000 + dice.randint(1, 9))
            case "order":
                right = listed = plant.order(dice.choice(plant.PICKS))
                wrong = msgspec.structs.replace(listed, dispatch_status=DispatchStatus.HELD)
            case _:
                right = plant.material(dice.choice(("PART", "PART", *plant.ITEMS)))
                wrong = PlanKey("MaterialDefinition", right.id)
        self._wrong[right.id] = right
        self._erp.put(wrong) if isinstance(wrong, JobOrder) else self._erp.withdraw(wrong)
        asyncio.get_running_loop().call_later(dice.choice((3.0, 8.0, 15.0)), self._put_right, right.id)

    def _put_right(self, id: str) -> None:
        if id in self._wrong and id not in self.closed and self._erp.put(self._wrong[id]):
            del self._wrong[id]

    def put_right(self, reopened: Collection[str]) -> None:
        """All that the office had wrong. The ERP is there."""
        for id in list(self._wrong):
            self._put_right(id)
        for id in sorted(reopened):
            self._erp.put(plant.job(id, 5000, DispatchStatus.RELEASED))

    async def _takes_id(self) -> None:
        """Something else comes to the ERP under the id that somebody's next report will have."""
        terminal = self._dice.choice(("T1", "T2", "T3"))
        try:
            session = await self._pc.ask(lambda running: running.store.read(lambda conn: sessions.load(conn, terminal)))
        except (AgentAway, StoreError):
            return
        if session is None:
            return
        id = str(uuid5(UUID(msgspec.json.decode(session.state, type=Session).intent), "0"))
        others = (SignedOff(about="person/p9"), JobStarted(about="J-9", equipment=""))  # taken, and refused
        now = self._erp.clock.now()
        if self._erp.has_another(Fact(
            id=id, seq=len(self.taken) + 1, agent="agent-2", event_time=now, record_time=now, clock_ok=True,
            terminal="T9", person="", body=self._dice.choice(others),
        )):  # fmt: skip
            self.taken.add(id)

    def heal(self) -> None:
        """It ends."""
        self._note("healed")
        self._weather.__dict__.update(Weather().__dict__)
        self._pc.troubled = self._erp.troubled = False
        for platter in (self._pc.platter, self._erp.platter):
            platter.cut_at = None
            platter.fault = lambda what: 0
        for person in self._people:
            person.at_work = False
            person.line.breaks = 0.0
        if self._row_rotten and self._pc.running is not None:
            self._pc.kill()  # as somebody does who is told of the damage
        if self.rough["clock"]:  # the last word of NTP
            self._set_clock(self._pc.clock.now() - timedelta(hours=self._dice.choice((1, 8760))))
