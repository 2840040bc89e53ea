"""What a type allows, in words: for the problems of a site file and for the reference."""

from __future__ import annotations

import difflib
import enum
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from msgspec import Meta, Struct

_PLAIN = {bool: "true or false", str: "text", Path: "a path", Any: "anything"}
_LONGEST = 40  # characters of a wrong value that are shown


def unwrap(wanted: Any) -> tuple[Any, tuple[Meta, ...]]:
    """A type without its annotations, and those annotations.

    >>> unwrap(Annotated[int, Meta(ge=1)])
    (<class 'int'>, (msgspec.Meta(ge=1),))
    """
    if get_origin(wanted) is Annotated:
        return wanted.__origin__, tuple(meta for meta in wanted.__metadata__ if isinstance(meta, Meta))
    return wanted, ()


def members(wanted: Any) -> tuple[Any, ...]:
    """The types of a union, without None, which a site file can not say; `(wanted,)` for anything else."""
    if get_origin(wanted) in (typing.Union, types.UnionType):
        return tuple(arg for arg in get_args(wanted) if arg is not types.NoneType)
    return (wanted,)


def extra(metas: Iterable[Meta], name: str) -> Any:
    """What the annotations say beyond their type under `name`; None when nothing."""
    said = [meta.extra or {} for meta in metas]
    return next((more[name] for more in reversed(said) if name in more), None)


def description(metas: Iterable[Meta]) -> str:
    """The last description among annotations; empty when there is none."""
    return next((meta.description for meta in reversed([*metas]) if meta.description), "")


def allowed(wanted: Any) -> str:
    """What may stand where `wanted` is expected.

    >>> allowed(Annotated[int, Meta(ge=1, le=247)]), allowed(Literal["a", "b"]), allowed(tuple[bool, ...])
    ('a whole number from 1 to 247', '"a" or "b"', 'a list of: true or false')
    """
    base, metas = unwrap(wanted)
    if len(parts := members(base)) > 1 or parts[0] is not base:
        return " or ".join(allowed(part) for part in parts)
    origin = get_origin(base)
    if origin is Literal:
        return _either(get_args(base))
    if origin in (list, tuple, set, frozenset):
        return f"a list of: {allowed(get_args(base)[0])}" + _limits(metas, "entries")
    if origin is dict:
        return f"a table; each value: {allowed(get_args(base)[1])}"
    if isinstance(base, type) and issubclass(base, enum.Enum):
        return _either([member.value for member in base])
    if isinstance(base, type) and issubclass(base, Struct):
        return "a table"
    if base in (int, float):
        return ("a whole number" if base is int else "a number") + _range(metas)
    if base is str and (like := extra(metas, "like")):
        return f"text of {like}"
    return _PLAIN.get(base, getattr(base, "__name__", str(base))) + _limits(metas, "characters")


def toml(value: object) -> str:
    """A value roughly as the site file writes it, shortened.

    >>> toml(True), toml("a"), toml([1]), toml({"x": 1})
    ('true', '"a"', 'a list', 'a table')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, str):
        # repr() makes control characters visible; only the quotes differ from TOML.
        shown = repr(str(value))[1:-1]
        return f'"{shown[:_LONGEST]}{"..." if len(shown) > _LONGEST else ""}"'
    return "a list" if isinstance(value, Sequence) else str(value)[:_LONGEST]


def similar(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The question behind an unknown word, with its space; empty when nothing is near."""
    meant = similar(word, known)
    return f" (did you mean {meant}?)" if meant else ""


def _either(values: Iterable[object]) -> str:
    shown = [toml(value) for value in values]
    return " or ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def _range(metas: Iterable[Meta]) -> str:
    low = next((f" from {m.ge}" for m in metas if m.ge is not None), "")
    low = low or next((f" above {m.gt}" for m in metas if m.gt is not None), "")
    high = next((f" to {m.le}" for m in metas if m.le is not None), "")
    high = high or next((f" below {m.lt}" for m in metas if m.lt is not None), "")
    return low + high


def _limits(metas: Iterable[Meta], what: str) -> str:
    metas = tuple(metas)
    said = [
        *(f"matching {m.pattern}" for m in metas if m.pattern),
        *(f"at least {m.min_length} {what}" for m in metas if m.min_length),
        *(f"at most {m.max_length} {what}" for m in metas if m.max_length),
    ]
    return f" ({', '.join(said)})".replace(f"at least 1 {what}", "not empty") if said else ""
