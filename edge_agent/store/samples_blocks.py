"""Samples as bytes: pure, exact to the last bit, and as small as plain Python makes them.

>>> calm = Series([0, 1_000_000, 2_000_000], [0, 0, 2], [20.5, 20.6, None])
>>> decode_block(encode_block({7: calm})) == {7: calm}
True

A block holds the series of a few items over one stretch of time, each in columns: time stamps as places
on an axis that the items share (items of one read have the same time) or as differences, statuses and
types as runs, values by type. Columns of whole numbers are differences, or distances from the
smallest, in the narrowest width. Floats are whole numbers of tenths to ten-thousandths where that gives
the same bits again, else a table of the few that occur, else four or eight bytes each.
"""

from __future__ import annotations

import math
import sys
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import accumulate, groupby
from operator import sub
from typing import Any, NamedTuple

import msgspec

from device_drivers.contract import StatusCode, Value

STATUSES = (StatusCode.GOOD, StatusCode.UNCERTAIN, StatusCode.BAD)  # a status is kept as its place here


class Series(NamedTuple):
    """Samples of one item in the order of arrival; all three lists have one length.

    `times` in microseconds since 1970 UTC, `statuses` as places in STATUSES. Whole numbers are from
    -2**63 to 2**64 - 1.
    """

    times: list[int]
    statuses: list[int]
    values: list[Value]


class Rows(NamedTuple):
    """Samples of several items in the order of arrival; `places` are the items. Else as `Series`."""

    places: list[int]
    times: list[int]
    statuses: list[int]
    values: list[Value]

    @classmethod
    def none(cls) -> Rows:
        """No samples yet."""
        return cls([], [], [], [])

    def extend(self, more: Rows) -> None:
        """Take these samples behind those that are there."""
        self.places.extend(more.places)
        self.times.extend(more.times)
        self.statuses.extend(more.statuses)
        self.values.extend(more.values)


class Damaged(Exception):
    """The bytes are not what was written."""


_PLAIN, _ZLIB = b"\x00", b"\x01"
_WIDTHS = ((1 << 8, "B"), (1 << 16, "H"), (1 << 32, "I"), (1 << 64, "Q"))
_DECIMALS = (1.0, 10.0, 100.0, 1000.0, 10000.0)
_LOOKED = 64  # floats that are looked at before a table of all is made
_TRIED = 8  # floats that are looked at before a whole column is tried as decimals
_DAMAGE = (zlib.error, msgspec.DecodeError, ValueError, TypeError, IndexError, OverflowError)
_TYPES: dict[type, int] = {type(None): 0, bool: 1, int: 2, float: 3, str: 4}
_pack, _unpack = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode


def encode_block(series: Mapping[int, Series]) -> bytes:
    """The block of these items, each by a number of its own; no series is empty."""
    axis = sorted(set().union(*(each.times for each in series.values())))
    shared = 2 * len(axis) <= sum(len(each.times) for each in series.values())
    place = {time: number for number, time in enumerate(axis)} if shared else None
    records, before = [], None
    for each in series.values():
        records.append(_record(each, place, alike=each.times == before))
        before = each.times
    return _squeezed([list(series), [len(axis), _ints(axis)] if shared else None, records])


def decode_block(body: bytes, only: Collection[int] | None = None) -> dict[int, Series]:
    """The series of a block, or of those items among `only` that are in it. Raises Damaged."""
    try:
        numbers, shared, records = _loosened(body)
        axis = _ints_of(shared[1], shared[0]) if shared else None
        series, times = {}, list[int]()
        for number, record in zip(numbers, records, strict=True):
            if record[1] is not None:
                times = _times(record, axis)
            if only is None or number in only:
                series[number] = _series(record, times)
        return series
    except _DAMAGE as error:
        raise Damaged(str(error)) from error


def encode_rows(rows: Rows) -> bytes:
    """A few samples of several items, quickly: what is kept until there is a block."""
    places, times, statuses, values = rows
    base, count = times[0], len(times)
    together = times.count(base) == count
    alike = statuses.count(statuses[0]) == count
    offsets = None if together else [time - base for time in times]
    return _pack([base, offsets, statuses[0] if alike else statuses, places, values])


def decode_rows(body: bytes) -> Rows:
    """The samples of `encode_rows`. Raises Damaged."""
    try:
        base, offsets, statuses, places, values = _unpack(body)
        count = len(values)
        times = [base] * count if offsets is None else [base + offset for offset in offsets]
        rows = Rows(places, times, [statuses] * count if isinstance(statuses, int) else statuses, values)
    except _DAMAGE as error:
        raise Damaged(str(error)) from error
    if not len(rows.places) == len(rows.times) == len(rows.statuses) == count:
        raise Damaged("columns of different lengths")
    return rows


def by_item(rows: Rows) -> dict[int, Series]:
    """The samples of each item, in the order in which they came."""
    if (width := _period(rows.places)) > 1:
        return {
            place: Series(rows.times[at::width], rows.statuses[at::width], rows.values[at::width])
            for at, place in enumerate(rows.places[:width])
        }
    order = sorted(range(len(rows.places)), key=rows.places.__getitem__)
    times = [rows.times[number] for number in order]
    statuses = [rows.statuses[number] for number in order]
    values = [rows.values[number] for number in order]
    series, start = {}, 0
    for place, count in sorted(Counter(rows.places).items()):
        end = start + count
        series[place] = Series(times[start:end], statuses[start:end], values[start:end])
        start = end
    return series


def _period(places: list[int]) -> int:
    """How many items come again and again in the same order, as whole reads of a device do; 0: they do not."""
    try:
        width = places.index(places[0], 1)
    except (IndexError, ValueError):
        return 0
    first, times = places[:width], len(places) // width
    return width if len({*first}) == width and first * times == places else 0


def _squeezed(document: Any) -> bytes:
    plain = _pack(document)
    small = zlib.compress(plain)
    return _ZLIB + small if len(small) < len(plain) else _PLAIN + plain


def _loosened(body: bytes) -> Any:
    match body[:1]:
        case b"\x00":
            return _unpack(body[1:])
        case b"\x01":
            return _unpack(zlib.decompress(body[1:]))
        case _:
            raise ValueError("no block")


# ---------------------------------------------------------------- one item


def _record(series: Series, place: Mapping[int, int] | None, *, alike: bool) -> list[Any]:
    """[length, times, runs, bools, whole numbers, floats, texts]; None for a type that does not occur.

    Times are None when they are those of the item before.
    """
    times, statuses, values = series
    stamps = None if alike else _ints(times if place is None else [place[time] for time in times])
    runs = _runs(statuses, values)
    kinds = {kind >> 2 for kind in runs[::2]}
    columns = [encode(_of(kind, kinds, values)) if kind in kinds else None for kind, encode in _COLUMNS]
    return [len(times), stamps, runs, *columns]


def _of(kind: int, kinds: Collection[int], values: list[Value]) -> list[Any]:
    """The values of one type."""
    return values if len(kinds) == 1 else [value for value in values if _TYPES[type(value)] == kind]


def _times(record: Sequence[Any], axis: Sequence[int] | None) -> list[int]:
    times = _ints_of(record[1], record[0])
    return times if axis is None else [axis[number] for number in times]


def _series(record: Sequence[Any], times: list[int]) -> Series:
    _, _, runs, bools, ints, floats, texts = record
    kinds, lengths = runs[::2], runs[1::2]
    counts = [0] * len(_TYPES)
    for kind, count in zip(kinds, lengths, strict=True):
        counts[kind >> 2] += count
    columns: list[list[Any]] = [
        [None] * counts[0],
        [*map(bool, _ints_of(bools, counts[1]))] if bools else [],
        _ints_of(ints, counts[2]) if ints else [],
        _floats_of(floats, counts[3]) if floats else [],
        _texts_of(texts, counts[4]) if texts else [],
    ]
    statuses: list[int] = []
    values: list[Value] = []
    at = [0] * len(_TYPES)
    for kind, count in zip(kinds, lengths, strict=True):
        type_, start = kind >> 2, at[kind >> 2]
        statuses += [kind & 3] * count
        values += columns[type_][start : start + count]
        at[type_] = start + count
    if len(times) != len(values):
        raise ValueError("columns of different lengths")
    return Series([*times], statuses, values)


def _runs(statuses: Sequence[int], values: Sequence[Value]) -> list[int]:
    """[kind, length, kind, length ...]; a kind is a type and a status."""
    types, first = {*map(type, values)}, statuses[0]
    if len(types) == 1 and statuses.count(first) == len(statuses):
        return [_TYPES[types.pop()] << 2 | first, len(values)]
    kinds = (_TYPES[type(value)] << 2 | status for status, value in zip(statuses, values, strict=True))
    return [part for kind, group in groupby(kinds) for part in (kind, sum(1 for _ in group))]


# ---------------------------------------------------------------- columns


def _ints(numbers: Sequence[int]) -> list[Any]:
    """[first, step], or [differences?, first, smallest, width, bytes], or [text] of numbers far apart."""
    first, low, high = int(numbers[0]), int(min(numbers)), int(max(numbers))
    if low == high:
        return [first, 0]
    steps = [*map(sub, numbers[1:], numbers)]
    least, most = min(steps), max(steps)
    if not -(1 << 63) <= least <= most < 1 << 63:
        return [",".join(map(str, map(int, numbers)))]
    if least == most:
        return [first, least]
    if high - low <= most - least:  # noise about a level: differences would only make it noisier
        return [False, first, low, *_narrow([number - low for number in numbers], high - low)]
    return [True, first, least, *_narrow([step - least for step in steps], most - least)]


def _ints_of(column: Sequence[Any], length: int) -> list[int]:
    match column:
        case [str(text)]:
            return [int(part) for part in text.split(",")]
        case [first, step]:
            return [*range(first, first + step * length, step)] if step else [first] * length
        case [True, first, least, code, data]:
            return [*accumulate((step + least for step in _wide(code, data)), initial=first)]
        case [False, _, low, code, data]:
            return [number + low for number in _wide(code, data)]
        case _:
            raise ValueError("a column of whole numbers that this program does not know")


def _narrow(numbers: Sequence[int], most: int) -> tuple[str, bytes]:
    code = next(code for limit, code in _WIDTHS if most < limit)
    return code, _planes(array(code, numbers))


def _wide(code: str, data: bytes) -> array[int]:
    return _unplaned(code, data)


def _floats(numbers: Sequence[float]) -> list[Any]:
    """[times?, ten to the decimals, whole numbers], [table, places], or [width, bytes]."""
    full = array("d", numbers)
    exact = full.tobytes()
    if (decimals := _decimals(numbers, exact)) is not None:
        return decimals
    bits = array("Q", exact)
    few = bits[:: max(1, len(bits) // _LOOKED)]
    if 2 * len({*few}) <= len(few) and 4 * len(table := {*bits}) <= len(bits):
        # In the order of the values, so that near values have near places.
        ordered = sorted(table, key=lambda each: each if each < 1 << 63 else -each)
        place = {each: number for number, each in enumerate(ordered)}
        return [_planes(array("Q", ordered)), _ints([place[each] for each in bits])]
    try:
        half = array("f", numbers)
    except OverflowError:
        half = array("f")
    if array("d", half).tobytes() == exact:
        return ["f", _planes(half), None]
    return ["d", _planes(full), None]


def _floats_of(column: Sequence[Any], length: int) -> list[float]:
    match column:
        case [bool(times), ten, ints]:
            whole = _ints_of(ints, length)
            return [number * (1 / ten) for number in whole] if times else [number / ten for number in whole]
        case [bytes(table), ints]:
            known = array("d", _unplaned("Q", table).tobytes())
            return [known[number] for number in _ints_of(ints, length)]
        case [str(code), data, None]:
            return _unplaned(code, data).tolist()
        case _:
            raise ValueError("a column of floats that this program does not know")


def _decimals(numbers: Sequence[float], exact: bytes) -> list[Any] | None:
    """Floats as whole numbers of 1/10**n, divided as text is read, or multiplied as drivers scale."""
    if not all(map(math.isfinite, numbers)) or max(map(abs, numbers)) >= 1 << 48:
        return None
    some = numbers[:: max(1, len(numbers) // _TRIED)]
    for ten in _DECIMALS:
        for times in (False, True):
            if _same(some, ten, times, array("d", some).tobytes()) is not None:
                whole = _same(numbers, ten, times, exact)
                if whole is not None:
                    return [times, ten, _ints(whole)]
    return None


def _same(numbers: Sequence[float], ten: float, times: bool, exact: bytes) -> list[int] | None:
    """The whole numbers that come back as the same bits; None when they do not."""
    whole = [round(number * ten) for number in numbers]
    part = 1 / ten
    back = array("d", [number * part for number in whole] if times else [number / ten for number in whole])
    return whole if back.tobytes() == exact else None


def _texts(texts: Sequence[str]) -> list[Any]:
    """[table, places]. Lone halves of surrogate pairs, which drivers may pass on, are kept."""
    table = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return [[text.encode("utf-8", "surrogatepass") for text in table], _ints([table[text] for text in texts])]


def _texts_of(column: Sequence[Any], length: int) -> list[str]:
    table = [text.decode("utf-8", "surrogatepass") for text in column[0]]
    return [table[number] for number in _ints_of(column[1], length)]


def _planes(numbers: array[Any]) -> bytes:
    """All first bytes, then all second ones ...: bytes of one weight are alike, which zlib likes."""
    width, data = numbers.itemsize, _little(numbers).tobytes()
    return data if width == 1 else b"".join(data[start::width] for start in range(width))


def _unplaned(code: str, data: bytes) -> array[Any]:
    numbers = array(code)
    width, mixed = numbers.itemsize, bytearray(len(data))
    count = len(data) // width
    for start in range(width):
        mixed[start::width] = data[start * count : (start + 1) * count]
    numbers.frombytes(bytes(mixed))
    return _little(numbers)


def _little(numbers: array[Any]) -> array[Any]:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers


_COLUMNS: tuple[tuple[int, Callable[[list[Any]], list[Any]]], ...] = (
    (1, _ints), (2, _ints), (3, _floats), (4, _texts),
)  # fmt: skip
