"""What the values and status codes of OPC UA mean here; knows no library."""

from __future__ import annotations

import enum
import math
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from device_drivers.contract import StatusCode, Value

# Part 4, 7.39.1: severity in the two highest bits; with the info type "data value", one bit says that
# the server had to drop changes of the item because its queue was full.
_SEVERITY_SHIFT = 30
_INFO_TYPE = 0x0C00
_DATA_VALUE = 0x0400
_OVERFLOW = 0x0080

_HIGHEST_SEQUENCE = 2**32 - 1


@dataclass(frozen=True)
class Change:
    """What the server sent for the items of one node: `value` as the library has it (see `plain`), `code` its
    status, `source_time` aware or None."""

    items: set[str]
    value: Any
    code: int
    source_time: datetime | None


@dataclass(frozen=True)
class Below:
    """A node found below another: its id and its browse name as a site file says them, the name alone, its
    class, and what it reads now; None for what has no value."""

    node: str
    step: str
    name: str
    kind: str
    reading: Change | None


def plain(value: Any) -> Value:
    """A value of OPC UA as one of ours; None for none, for not-a-number and for lists and structures.

    Times become ISO 8601, localized texts their text, enumerations their number, bytes hex digits.
    """
    match value:
        case enum.Enum():
            return plain(value.value)
        case float():
            return value if math.isfinite(value) else None
        case bool() | int() | str():
            return value
        case datetime():
            return value.isoformat()
        case bytes():
            return value.hex()
        case uuid.UUID():
            return str(value)
    text = getattr(value, "Text", None)  # LocalizedText
    return text if isinstance(text, str) else None


def severity(code: int) -> StatusCode:
    """How far a status code lets its value be trusted.

    >>> severity(0), severity(0x40930000).value, severity(0x808A0000).value
    (<StatusCode.GOOD: 'Good'>, 'Uncertain', 'Bad')
    """
    return {0: StatusCode.GOOD, 1: StatusCode.UNCERTAIN}.get(code >> _SEVERITY_SHIFT, StatusCode.BAD)


def overflowed(code: int) -> bool:
    """Whether the server says that it dropped changes of the item before this value.

    >>> overflowed(0x480), overflowed(0x80), overflowed(0)
    (True, False, False)
    """
    return code & _INFO_TYPE == _DATA_VALUE and bool(code & _OVERFLOW)


def follows(sequence: int, last: int | None) -> bool:
    """Whether a notification message is the one after `last`; None: it is the first (part 4, 7.25).

    >>> follows(7, 6), follows(8, 6), follows(1, 4294967295), follows(1, None)
    (True, False, True, True)
    """
    return last is None or sequence == (1 if last == _HIGHEST_SEQUENCE else last + 1)
