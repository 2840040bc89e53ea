"""Elements of lists and fields of structures, out of what a server sends for a node; knows no library.

A structure of the server's own comes as bytes, one field after the other (part 6, 5.2.6). The site file or its
map says which fields there are: no type is asked for, and no code is made of what a server says.

>>> fields = structure("ID:Int32 Name:String Count:Int32")
>>> field_of(bytes.fromhex("07000000 02000000 4142 2a000000"), fields, "Count")
42
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

Fields = tuple[tuple[str, str], ...]  # name and type, in their order

_NUMBERS = {
    "Boolean": "?", "SByte": "b", "Byte": "B", "Int16": "h", "UInt16": "H", "Int32": "i", "UInt32": "I",
    "Int64": "q", "UInt64": "Q", "Float": "f", "Double": "d",
}  # fmt: skip
_DATE_TIME, _NONE = 8, -1  # bytes of a time; the length that says that there is no text


def structure(text: str) -> Fields:
    """Take a list of fields apart, `ID:Int32 Name:String`. Raises ValueError in words."""
    fields = []
    for each in text.split():
        name, _, kind = each.partition(":")
        if not name or (kind not in _NUMBERS and kind not in _OTHERS):
            known = ", ".join((*_NUMBERS, *_OTHERS))
            raise ValueError(f"{each!r} is no field: it looks like Count:Int32, and types are {known}")
        fields.append((name, kind))
    return tuple(fields)


def field_of(body: bytes, fields: Fields, wanted: str) -> Any:
    """The value of a field; what stands behind it is not looked at. Raises ValueError when the bytes do not fit."""
    at = 0
    for name, kind in fields:
        try:
            value, at = _read(body, at, kind)
        except (struct.error, UnicodeDecodeError, IndexError) as error:
            raise ValueError(f"the bytes end, or are no {kind}, at field {name}") from error
        if name == wanted:
            return value
    raise ValueError(f"there is no field {wanted}")


def picked(value: Any, element: int | None, fields: Fields, wanted: str) -> Any:
    """An element of a list, a field of a structure, or a field of an element; None where there is none."""
    if element is not None:
        if not isinstance(value, list | tuple) or element >= len(value):
            return None
        value = value[element]
    if not wanted:
        return value
    body = getattr(value, "Body", None)
    try:
        return field_of(body, fields, wanted) if isinstance(body, bytes) else None
    except ValueError:
        return None


def _read(body: bytes, at: int, kind: str) -> tuple[Any, int]:
    if kind in _NUMBERS:
        number = struct.Struct("<" + _NUMBERS[kind])
        return number.unpack_from(body, at)[0], at + number.size
    return _OTHERS[kind](body, at)


def _text(body: bytes, at: int) -> tuple[str | None, int]:
    length, at = _read(body, at, "Int32")
    if length == _NONE:
        return None, at
    if length < 0 or at + length > len(body):
        raise IndexError(length)
    return body[at : at + length].decode(), at + length


def _localized(body: bytes, at: int) -> tuple[str | None, int]:
    """The text alone; a byte before it says whether a locale (1) and a text (2) follow."""
    mask, at = body[at], at + 1
    text = None
    if mask & 1:
        _, at = _text(body, at)
    if mask & 2:
        text, at = _text(body, at)
    return text, at


def _date_time(body: bytes, at: int) -> tuple[None, int]:
    if at + _DATE_TIME > len(body):
        raise IndexError(at)
    return None, at + _DATE_TIME  # nobody asks for it; what stands behind it counts


def _unit(body: bytes, at: int) -> tuple[str | None, int]:
    """EUInformation (part 8, 5.6.3): its display name."""
    _, at = _text(body, at)
    _, at = _read(body, at, "Int32")
    name, at = _localized(body, at)
    _, at = _localized(body, at)
    return name, at


_OTHERS: dict[str, Callable[[bytes, int], tuple[Any, int]]] = {
    "String": _text, "LocalizedText": _localized, "DateTime": _date_time, "EUInformation": _unit,
}  # fmt: skip
