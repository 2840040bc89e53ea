"""Profiles of scanner makers as data: how their frames look and what they understand as an answer.

A profile is one TOML file in the folder `profiles`; its comments say where the bytes were read, and
what was not verified. Whatever it says, the site file may say otherwise.

>>> profile("honeywell").good
'\\x1b7,'
>>> "generic" in names()
True
"""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

_FOLDER = Path(__file__).with_name("profiles")

Affix = Annotated[str, Meta(max_length=16)]
Suffix = Annotated[str, Meta(min_length=1, max_length=16)]
Answer = Annotated[str, Meta(max_length=64)]  # bytes to the scanner; empty: nothing is sent


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one kind of scanner speaks. Every text is bytes, one character a byte (Latin-1).

    `aim`: every frame begins with an AIM identifier, and one without is dropped. `ack` goes out as soon
    as a frame is whole, `nak` for one that was dropped; `good`, `bad` and `attention` say what came of
    a scan. A dropped frame without a `nak` is answered with `bad`: a scanner that waits for its host must
    not wait in vain.
    """

    title: str
    prefix: Affix = ""
    suffix: Suffix = "\r"
    aim: bool = False
    ack: Answer = ""
    nak: Answer = ""
    good: Answer = ""
    bad: Answer = ""
    attention: Answer = ""


@functools.cache
def names() -> tuple[str, ...]:
    """Every profile there is, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@functools.cache
def profile(name: str) -> Profile:
    """One profile. Raises LookupError that names those that there are."""
    if name not in names():
        raise LookupError(f"there is no scanner profile {name!r}; there are: {', '.join(names())}")
    return msgspec.convert(tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8")), Profile)
