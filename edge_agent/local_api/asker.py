"""Who asked for something that takes a right, as it is recorded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asker:
    """A `person` who is signed on at a `terminal`; or, with neither, a `user` of this PC: the owner of the agent."""

    terminal: str = ""
    person: str = ""
    user: str = ""

    @property
    def note(self) -> str:
        """What a fact says of somebody who is no person of the ERP; empty: its person says it.

        >>> Asker(user="floorhand").note, Asker("T1", "p8").note
        ('by the user floorhand of the PC', '')
        """
        return f"by the user {self.user} of the PC" if self.user else ""

    @property
    def told(self) -> dict[str, str]:
        """The same for a line of the audit file."""
        return {"user": self.user} if self.user else {"person": self.person, "terminal": self.terminal}
