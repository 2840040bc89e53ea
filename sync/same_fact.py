"""Whether two sides mean the same fact: a digest that every language can make, and words for what differs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from sync.contract import Booked, Duplicate, Fact, Receipt, Refused

_NAMED = 3  # members that are told one by one
_LONGEST = 40  # characters of a value in a sentence


def members(fact: Fact) -> dict[str, Any]:
    """The fact as the JSON object that travels."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(fact))
    return told


def digest(fact: Mapping[str, Any]) -> str:
    """SHA-256, in lower hex, of the JSON object in one form: no member that is null, false, "", [] or {}, keys
    sorted, no white space, UTF-8 without escapes but for quote, backslash and control characters.

    A member that a later version adds is empty in every older fact: it changes no digest.
    """
    text = json.dumps(_bare(fact), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def booked(fact: Mapping[str, Any]) -> Booked:
    """What an ERP that kept the fact answers about it."""
    return Booked(digest(fact), dict(fact))


def compared(fact: Fact, receipt: Receipt) -> Receipt:
    """The answer about the fact, or that the ERP has another one under its id: `key_reused`.

    A receipt that does not say what was booked is taken as it is.
    """
    known = receipt.booked if isinstance(receipt, Duplicate | Refused) else None
    ours = members(fact)
    if known is None or known.digest == digest(ours):
        return receipt
    told = "; ".join(islice(_differences(ours, known.fact or {}), _NAMED)) if known.fact else ""
    what = f"{told}." if told else f"its digest is {known.digest[:12]} there and {digest(ours)[:12]} here."
    return Refused(
        fact.id, "key_reused", f"The ERP has another report under this id: {what} Was this PC copied?"
    )


def told(receipt: Receipt | None) -> bool:
    """Whether the receipt says what the ERP keeps under the id."""
    return isinstance(receipt, Duplicate | Refused) and receipt.booked is not None


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], inside: str = "") -> Iterator[str]:
    """A sentence without a stop for each member that differs, what happened before the rest."""
    for name in sorted({*ours, *theirs}, key=lambda name: (name != "body", name)):
        here, there = ours.get(name), theirs.get(name)
        if isinstance(here, dict) and isinstance(there, dict):
            yield from _differences(here, there, inside if name == "body" else f"{inside}{name}.")
        elif _bare(here) != _bare(there):
            yield f"{inside}{name} is {_short(there)} there and {_short(here)} here"


def _short(value: Any) -> str:
    if _is_empty(value):
        return "empty"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _bare(value: Any) -> Any:
    """The same without its empty members, on every level."""
    if isinstance(value, Mapping):
        bare = {name: _bare(each) for name, each in value.items()}
        return {name: each for name, each in bare.items() if not _is_empty(each)}
    return [_bare(each) for each in value] if isinstance(value, list | tuple) else value


def _is_empty(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)
