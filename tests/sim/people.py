"""People at their terminals: the real attachment, and hands that do what the screen asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import cast

from edge_agent.scanning.labels import label
from edge_agent.views import Input, Kind, View
from edge_agent.views.exceptions import ExceptionsPage
from edge_agent.views.status import Problem, Status
from terminal_ui.attachment import Attachment, Client
from tests.sim.clock import SimClock, passing
from tests.sim.deciding import Act, Decider
from tests.sim.pc import Line, Pc


class Person:
    """One person at one terminal. What the agent has answered to them is what they believe.

    `saved`: the ids of the facts that the screen called saved. `claimed`: the facts that stand for an
    input, by its id. `unsure`: how often they do not know what became of an input.
    """

    def __init__(
        self, pc: Pc, terminal: str, badge: str, clock: SimClock, dice: Random, note: Callable[..., None]
    ) -> None:
        self.terminal = terminal
        self.saved: set[str] = set()
        self.claimed: dict[str, tuple[str, ...]] = {}
        self.contradicted: list[str] = []
        self.unsure = 0
        self.inputs = 0
        self.at_work = True
        self.line = Line(pc, dice, self._answered)
        self.decider = Decider(dice)
        self._badge, self._clock, self._dice, self._note = badge, clock, dice, note
        self._view: View | None = None
        self._attachment = Attachment(cast(Client, self.line), terminal, self, clock)
        self._attached: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Inputs without an answer."""
        return self._attachment.waiting

    async def work(self) -> None:
        """For ever, while `at_work`."""
        self._attach()
        while True:
            await passing(self._dice.expovariate(1.2))
            if self._attached is not None and self._attached.done():
                self._attached.result()  # a terminal that ends by itself is a bug
            if not self.at_work or self.waiting or self._view is None or self._attachment.away:
                continue
            wanted = await self._wants(self._view)
            given = self._attachment.give(*wanted) if wanted is not None else None
            if given is not None:
                self.inputs += 1
                self._note(self.terminal, "gives", given.kind, given.data)

    def crash(self) -> None:
        """The terminal dies, with what it had in hand; another one is started."""
        if self._attached is not None:
            self._attached.cancel()
        self.unsure += bool(self.waiting)
        self._view = None
        self._attachment = Attachment(cast(Client, self.line), self.terminal, self, self._clock)
        self._attach()

    def _attach(self) -> None:
        self._attached = asyncio.get_running_loop().create_task(self._attachment.run())

    def _answered(self, given: Input, view: View) -> None:
        """The agent says what became of an input."""
        facts = view.message.facts if view.message is not None else ()
        before = self.claimed.setdefault(given.id, facts)
        if before != facts:
            self.contradicted.append(given.id)
        self._believe(view)

    def _believe(self, view: View) -> None:
        told = {id for message in (view.message, *view.log) if message is not None for id in message.facts}
        if new := told - self.saved:
            self._note(self.terminal, "saved", sorted(new))
        self.saved |= told

    # ------------------------------------------------------------ what the attachment tells

    def show_view(self, view: View) -> None:
        self._view = view
        self._believe(view)

    def show_status(self, status: Status) -> None:
        pass

    def show_echo(self, text: str) -> None:
        pass

    def show_away(self, reason: str) -> None:
        pass

    def show_attached(self) -> None:
        pass

    def show_refused(self, problem: Problem) -> None:
        self.unsure += 1
        self._note(self.terminal, "refused", problem.code)

    def show_dropped(self, given: Sequence[Input]) -> None:
        pass

    # ------------------------------------------------------------ hands

    async def _wants(self, view: View) -> Act | None:
        """None: nothing."""
        return self._act(view)

    def _act(self, view: View) -> Act:
        """What the screen asks for, most of the time."""
        if self._dice.random() < 0.03:
            return "scan", label(Kind.LOCATION, "A-04")  # the wrong thing: refused, and evidence
        if view.scenario == "exceptions":
            return self.decider.act(view)
        if view.scenario != "sign_on" and self._dice.random() < 0.02:
            return "action", "exceptions"
        match f"{view.scenario}.{view.step}":
            case "sign_on.badge":
                return "scan", label(Kind.BADGE, self._badge)
            case "choose_job.pick_one":
                return self._job(view)
            case "report_production.running":
                return self._report()
            case "report_production.good" | "report_production.scrap":
                return "entry", str(self._dice.randint(1, 4))
            case "pick.go" | "pick.item" if self._dice.random() < 0.08:
                return "action", "exception"
            case "pick.quantity" if self._dice.random() < 0.3 and view.entry is not None:
                return "entry", view.entry.value or "1"
        if view.choices:
            return "choice", self._dice.choice(view.choices).id
        if view.step in ("confirm", "finish", "undo", "deviate", "short_sure"):
            return "action", "confirm"
        labels = [each.label for each in view.expects if each.label]
        if labels and self._dice.random() < 0.95:
            return "scan", labels[0]
        return "action", "exception" if "exception" in view.actions and self._dice.random() < 0.5 else "back"

    def _job(self, view: View) -> Act:
        if not view.choices or self._dice.random() < 0.25:
            return "action", "list"
        return "choice", self._dice.choice(view.choices).id

    def _report(self) -> Act:
        chance = self._dice.random()
        if chance < 0.70:
            return "entry", str(self._dice.randint(1, 4))
        others = (("scrap", 0.85), ("undo", 0.91), ("finish", 0.93), ("list", 1.0))
        return "action", next(action for action, upto in others if chance < upto)


class Lead(Person):
    """Comes to the terminal when the status bar says that something is refused or in doubt; `open` counts it."""

    def __init__(self, *given: object, open: Callable[[], Awaitable[int]]) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._open = open

    async def _wants(self, view: View) -> Act | None:
        if view.scenario == "exceptions" and view.step != "list":
            return self.decider.act(view)
        page = view.page
        if isinstance(page, ExceptionsPage) and any(map(self.decider.open, page.rows)):
            return self.decider.act(view)
        if not await self._open():
            return None
        match view.scenario:
            case "exceptions":
                return self.decider.act(view)
            case "sign_on":
                return self._act(view)
        return "action", "exceptions"
