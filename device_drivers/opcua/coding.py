"""A value of ours as one of the data type that a node has; knows no library."""

from __future__ import annotations

import math
import struct

from device_drivers.contract import Value

_WHOLE = {
    "SByte": (-(2**7), 2**7), "Byte": (0, 2**8), "Int16": (-(2**15), 2**15), "UInt16": (0, 2**16),
    "Int32": (-(2**31), 2**31), "UInt32": (0, 2**32), "Int64": (-(2**63), 2**63), "UInt64": (0, 2**64),
}  # fmt: skip


def coded(value: bool | int | float | str, kind: str) -> bool | int | float | str:
    """The value as a data type (part 3, 8) holds it, by its name. Raises ValueError in words.

    >>> coded(5.0, "UInt16"), coded(0.1, "Float")
    (5, 0.10000000149011612)
    """
    match kind:
        case "Boolean" if isinstance(value, bool):
            return value
        case "String" if isinstance(value, str):
            return value
        case "Float" | "Double" if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _fraction(value, ">f" if kind == "Float" else ">d", kind)
        case _ if kind in _WHOLE and isinstance(value, (int, float)) and not isinstance(value, bool):
            low, high = _WHOLE[kind]
            if not low <= value < high or value != int(value):  # of not-a-number the first is true
                raise ValueError(f"a {kind} can not hold it")
            return int(value)
        case "Boolean" | "String" | "Float" | "Double":
            raise ValueError(f"its node holds a {kind}")
        case _ if kind in _WHOLE:
            raise ValueError(f"its node holds a {kind}")
    raise ValueError(f"its node holds a {kind}, which can only be read")


def agrees(found: Value, written: bool | int | float | str) -> bool:
    """Whether a node has what was written; both as its data type holds them."""
    return isinstance(found, bool) is isinstance(written, bool) and found == written


def _fraction(value: int | float, form: str, kind: str) -> float:
    try:
        held: float = struct.unpack(form, struct.pack(form, value))[0]
    except OverflowError as error:
        raise ValueError(f"a {kind} can not hold it") from error
    if not math.isfinite(held):
        raise ValueError(f"a {kind} can not hold it")
    return held
