"""What crosses the local socket of the past: stored values of machines, and where they are missing."""

from __future__ import annotations

from typing import Literal

import msgspec


class Samples(msgspec.Struct, frozen=True, kw_only=True, tag="samples", tag_field="kind"):
    """Values of one item in the order in which they came, as columns of one length.

    `times` in microseconds since 1970 UTC, when the device held the value. A float that JSON can not
    write is one of NaN, Infinity and -Infinity in a list of its own: ["NaN"]. Until the next one a value
    holds, give or take the deadband of the item.
    """

    device: str
    item: str
    times: list[int]
    statuses: list[Literal["Good", "Uncertain", "Bad"]]
    values: list[bool | int | float | str | list[str] | None]


class SampleGap(msgspec.Struct, frozen=True, kw_only=True, tag="gap", tag_field="kind"):
    """A time of which samples are missing: of all items of `device` when `item` is empty, of all devices when both are.

    `since` and `until` as in Samples; `count`: how many, as far as it is known. `reason`: stopped (the
    agent did not run), dropped (the oldest made room; some of that time may still be there), too_many (they
    came too fast), not_saved (the disk refused them), device (it may have gone on unheard).
    """

    device: str
    item: str
    since: int
    until: int
    reason: Literal["stopped", "dropped", "too_many", "not_saved", "device"]
    count: int


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """One item over a time in at most as many buckets as were asked for, as columns of one length.

    `times`: where a bucket begins, in microseconds since 1970 UTC; each lasts `step` microseconds, they
    follow each other, and the last may reach beyond `until`. `low`, `high` and `last` are of the numbers
    in it; where nothing was stored, because the value did not change, those of the value that holds. None
    where there is no number: no value is known there, or it was Bad, or text. `status` is the worst in the
    bucket; empty where nothing is known: nothing was stored since `gaps`, or ever. A switch counts as 0 and 1.
    """

    device: str
    item: str
    since: int
    until: int
    step: int
    times: list[int]
    low: list[float | None]
    high: list[float | None]
    last: list[float | None]
    status: list[Literal["Good", "Uncertain", "Bad", ""]]
    gaps: list[SampleGap]
