"""What the site file may say about every scanner, whatever wire it hangs on."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from device_drivers.scanners.framing import Framer
from device_drivers.scanners.profiles import Affix, Answer, Profile, Suffix, profile

_LINE_ENDS = ("\r", "\n", "\r\n")
_ELSE = "left out: as the profile says"
_SAYS = ("prefix", "suffix", "aim", "ack", "nak", "good", "bad", "attention")


class ScannerOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`profile` is the maker's; every other key that is given says what this one scanner does otherwise."""

    profile: Annotated[str, Meta(description="the maker: what its scanners do")] = "generic"
    mode: Annotated[Literal["auto", "affix"], Meta(description="what makes a frame")] = "auto"
    prefix: Annotated[Affix | None, Meta(description=f"before every frame; {_ELSE}")] = None
    suffix: Annotated[Suffix | None, Meta(description=f"behind every frame; {_ELSE}")] = None
    aim: Annotated[bool | None, Meta(description=f"every frame has an AIM identifier; {_ELSE}")] = None
    ack: Annotated[Answer | None, Meta(description=f"sent for a whole frame; {_ELSE}")] = None
    nak: Annotated[Answer | None, Meta(description=f"sent for a dropped frame; {_ELSE}")] = None
    good: Annotated[Answer | None, Meta(description=f"sent when a scan was right; {_ELSE}")] = None
    bad: Annotated[Answer | None, Meta(description=f"sent when it was wrong or not saved; {_ELSE}")] = None
    attention: Annotated[Answer | None, Meta(description=f"sent when it needs a look; {_ELSE}")] = None

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
