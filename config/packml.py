"""The words of PackML (ISA-TR88.00.02, OPC 30050) that a site file uses, and what it says about them."""

from __future__ import annotations

import enum
from typing import Annotated

from msgspec import Meta, Struct


class UnitState(enum.StrEnum):
    """The states of PackML (ISA-TR88.00.02)."""

    CLEARING = "CLEARING"
    STOPPED = "STOPPED"
    STARTING = "STARTING"
    IDLE = "IDLE"
    SUSPENDED = "SUSPENDED"
    EXECUTE = "EXECUTE"
    STOPPING = "STOPPING"
    ABORTING = "ABORTING"
    ABORTED = "ABORTED"
    HOLDING = "HOLDING"
    HELD = "HELD"
    UNHOLDING = "UNHOLDING"
    SUSPENDING = "SUSPENDING"
    UNSUSPENDING = "UNSUSPENDING"
    RESETTING = "RESETTING"
    COMPLETING = "COMPLETING"
    COMPLETE = "COMPLETE"


class UnitMode(enum.StrEnum):
    """The modes of PackML (ISA-TR88.00.02)."""

    PRODUCTION = "PRODUCTION"
    MAINTENANCE = "MAINTENANCE"
    MANUAL = "MANUAL"


class StopReasons(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="upper"):
    """The reason that is proposed first for a stop in a state, unless one was given to the same alarm before.

    HELD and SUSPENDED are the two states that say where the cause lies; in all others nothing is proposed.
    """

    held: Annotated[
        str,
        Meta(description="id of the reason for HELD: the cause lies within the machine, or an operator holds it"),
    ] = ""
    suspended: Annotated[
        str,
        Meta(
            description="id of the reason for SUSPENDED: the cause lies outside, nothing comes (starved) or nothing is "
            "taken away (blocked)"
        ),
    ] = ""
