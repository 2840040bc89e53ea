"""Hands at the exceptions screen: a lead whose work it is, and others who press its key now and then."""

from __future__ import annotations

from random import Random

from edge_agent.scanning.labels import label
from edge_agent.views import Kind, View
from edge_agent.views.exceptions import ExceptionPage, ExceptionRow, ExceptionsPage
from terminal_ui.attachment import InputKind
from tests.sim import plant

Act = tuple[InputKind, str]

_ENOUGH = 12  # decisions of a clearing; what comes after them is for somebody else


class Decider:
    """What one person does at the screen, and what they have decided.

    `tidy` is the end of the day: everything is decided, and what does not go is handed over. `tried` are the
    exceptions that were decided then, and `handed` those that somebody else is to decide. `seen`: what the ERP
    said of each, by the id of its fact.
    """

    def __init__(self, dice: Random) -> None:
        self.tidy = False
        self.tried: set[str] = set()
        self.handed: set[str] = set()
        self.seen: dict[str, str] = {}
        self._decided = 0
        self._dice = dice

    def begin_to_tidy(self) -> None:
        """What was handed over before is looked at once more."""
        self.tidy = True
        self.tried.clear()
        self.handed.clear()

    def open(self, row: ExceptionRow) -> bool:
        """Whether there is something to decide."""
        return self.undecided(row.key, row.settled, row.waits_for, row.choice)

    def undecided(self, key: str, settled: bool, waits_for: int, choice: str) -> bool:
        """The same, of what is known of an exception elsewhere."""
        if self.tidy and key.startswith("clock/"):  # with a wrong clock, signing on to acknowledge it makes another
            return False
        return not settled and not waits_for and not (choice == "hand_over" and key in self.handed)

    def act(self, view: View) -> Act:
        """What the screen asks for."""
        match view.page:
            case ExceptionsPage(rows=rows):
                return self._at_list(rows)
            case ExceptionPage(row=row, choices=choices) if view.step == "one":
                self.seen.setdefault(row.key, row.code)
                return "action", self._choice(row, choices)
        match view.step:
            case "correct":
                return self._instead(view)
            case "note":
                return "entry", "the planner"
            case "second":
                return "scan", label(Kind.BADGE, self._dice.choice((*plant.LEADS, *plant.LEADS, plant.BADGES[0])))
            case "sure":
                return "action", "confirm"
        return "action", "back"

    def _at_list(self, rows: tuple[ExceptionRow, ...]) -> Act:
        self.seen.update((row.key, row.code) for row in rows)
        todo = [row for row in rows if self.open(row)]
        if not todo or (not self.tidy and self._dice.random() < 0.1):
            return "action", "back"
        return "choice", (todo[0] if self.tidy else self._dice.choice(todo)).key

    def _choice(self, row: ExceptionRow, choices: tuple[str, ...]) -> str:
        if not choices or not self.open(row) or (not self.tidy and self._dice.random() < 0.1):
            return "back"
        wanted = self._wanted(row)
        choice = wanted if wanted in choices else "hand_over" if "hand_over" in choices else choices[-1]
        if self.tidy:
            self._decided += 1
            self.tried.add(row.key)
        if choice == "hand_over":
            self.handed.add(row.key)
        return choice

    def _wanted(self, row: ExceptionRow) -> str:
        if row.kind != "refused":
            return "acknowledge" if self._dice.random() < 0.9 else "hand_over"
        if self.tidy and self._decided >= _ENOUGH:
            return "hand_over"
        chances = (("resend", 0.5), ("correct", 0.75), ("hand_over", 1.0))
        if row.key in self.tried or row.code == "key_reused":
            chances = (("resend", 0.05), ("correct", 0.8), ("hand_over", 1.0))
        chance = self._dice.random()
        return next(choice for choice, upto in chances if chance < upto)

    def _instead(self, view: View) -> Act:
        chance = self._dice.random()
        if chance < 0.1 and any(each.kind is Kind.JOB for each in view.expects):
            return "scan", label(Kind.JOB, self._dice.choice(plant.JOBS))
        return "entry", "0" if chance < 0.45 else str(self._dice.randint(1, 4))
