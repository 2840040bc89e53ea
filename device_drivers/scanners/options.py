"""What the site file may say about every scanner, whatever wire it hangs on."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from device_drivers.scanners.framing import Framer
from device_drivers.scanners.profiles import Affix, Answer, Profile, profile

_LINE_ENDS = ("\r", "\n", "\r\n")
_SAYS = ("prefix", "suffix", "aim", "ack", "nak", "good", "bad", "attention")


class ScannerOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`profile` is the maker's; every other key that is given says what this one scanner does otherwise."""

    profile: str = "generic"
    mode: Literal["auto", "affix"] = "auto"
    prefix: Affix | None = None
    suffix: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    aim: bool | None = None
    ack: Answer | None = None
    nak: Answer | None = None
    good: Answer | None = None
    bad: Answer | None = None
    attention: Answer | None = None

    def __post_init__(self) -> None:
        try:
            spoken = self.spoken
        except LookupError as error:
            raise ValueError(str(error.args[0])) from error
        if not (spoken.prefix + spoken.suffix).isascii():
            raise ValueError("`prefix` and `suffix` are ASCII characters")
        answers = (getattr(spoken, name) for name in _SAYS[3:])
        if any(character > "\xff" for answer in answers for character in answer):
            raise ValueError("`ack`, `nak`, `good`, `bad` and `attention` are bytes: characters up to \\u00ff")
        if self.mode == "auto" and (spoken.prefix or spoken.suffix not in _LINE_ENDS):
            raise ValueError('an own `prefix` or `suffix` needs `mode = "affix"`')

    @property
    def spoken(self) -> Profile:
        """The profile with what is said otherwise. Raises LookupError for one that is not there."""
        said = {name: value for name in _SAYS if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(profile(self.profile), **said)

    def framer(self, listening_since: float) -> Framer:
        """A framer for one connection, opened at that monotonic reading."""
        if self.mode == "auto":
            return Framer(listening_since=listening_since)
        spoken = self.spoken
        return Framer(
            spoken.prefix.encode("ascii"), spoken.suffix.encode("ascii"), listening_since=listening_since
        )
