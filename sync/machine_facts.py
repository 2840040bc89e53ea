"""Facts about what people have machines do; see `sync.contract`, which has all facts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sync.fact_body import FactBody

# A value of a machine, in JSON as it is: a bool, a number or text.
MachineValue = bool | int | float | str


class MachineWriteRequested(FactBody, frozen=True, kw_only=True):
    """The gate let a write to a machine through (`about` is `device/<name>`); committed before anything is sent.

    `old` is the item as it was last read, also after an earlier write: its last good value (None: there was
    none), whether it was Good, Uncertain (as while another write is on its way) or Bad at this time, and the source
    time of that value. Until a MachineWriteFinished
    names this fact, nobody knows whether the machine has the new value.
    """

    device: str
    item: str
    value: MachineValue
    old: MachineValue | None
    old_status: Literal["Good", "Uncertain", "Bad"]
    old_at: datetime | None


class MachineWriteRefused(FactBody, frozen=True, kw_only=True):
    """The gate let a write to a machine not through (`about` is `device/<name>`); nothing was sent."""

    device: str
    item: str
    value: MachineValue
    code: str
    reason: str


class MachineWriteFinished(FactBody, frozen=True, kw_only=True):
    """What came of a write; `request` is the id of its MachineWriteRequested.

    `outcome` written: confirmed, and read back as written; differs: confirmed, and `read_back` is
    something else; not_written: nothing was changed; doubtful: nobody knows. `reason` says why.
    """

    request: str
    device: str
    item: str
    value: MachineValue
    outcome: Literal["written", "differs", "not_written", "doubtful"]
    read_back: MachineValue | None = None
    reason: str = ""
