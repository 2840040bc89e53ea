"""What a look at a device found, in words that an electrician understands, and as tables. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from device_drivers.contract import DataValue, DataValues, Found, StatusCode, Value
from edge_agent.devices.look import Look
from edge_agent.display import number_words
from edge_agent.machines.equipment import Equipment
from edge_agent.machines.map_fit import MapFit
from edge_agent.machines.meanings import Meanings

Raw = Mapping[str, tuple[str, ...]]  # point -> the items that hold what was sent for it

_LIKELY = (1e-12, 1e12)  # a measured value is hardly ever smaller or larger; turned words nearly always are
_REFUSED = (
    "The device refuses this address. Compare table, address and `base` with the maker's list; "
    "`floorhand devices browse` shows what it has."
)
_MEANS_NONE = (
    "The device answers, but these numbers mean no value: its sensor is off, or `not_available`, `type` or "
    "`order` is not what the maker's list says."
)
_FACTOR = "No value without its scale factor {factor}: look there first."
_SAYS_BAD = (
    "The server says that it has no good value, or no such node. Check the sensor behind it; "
    "`floorhand devices browse` shows its nodes."
)
_NO_PART = "The list has no such element now, or its structure is not the one that `structure` says."
_SILENT = "Nothing came in time. Is another program connected to the device? Is its `interval` very long?"
_TURNED = "Hardly a measured value: the words may come in another order (`order`), or `type` is another one."


def point_row(point: Any, look: Look, raw: Raw, means: Meanings) -> dict[str, Any]:
    """A point as JSON tells it. Bad has a `reason`, also when no value came. `raw` are the numbers that were sent,
    `word` is what the map of a machine calls the value.
    """
    value = look.values.get(point.name)
    lost = str(look.error) if look.error else ""
    return {
        "name": point.name,
        "value": value.value if value else None,
        "unit": means.unit(point.name),
        "word": means.word(point.name, value.value) if value else "",
        "status": str(value.status) if value else str(StatusCode.BAD),
        "reason": "" if look.good(point.name) else lost or _hint(point, look, raw),
        "source_time": f"{value.source_time:%Y-%m-%dT%H:%M:%S.%f}Z" if value else None,
        "raw": sent(point.name, look, raw),
        "where": where(point),
    }


def verdicts(points: Sequence[Any], look: Look, raw: Raw, means: Meanings) -> Iterator[str]:
    """A line for each point: whether it works, its value, what was sent for it, and where; then what to check."""
    hints = [_hint(point, look, raw) for point in points]
    notes = list(dict.fromkeys(filter(None, hints)))
    rows = [
        (_verdict(look.values.get(point.name)) + (f" [{notes.index(hint) + 1}]" if hint else ""),
         point.name, _value(point, look, means),
         f"sent {shown(numbers)}" if (numbers := sent(point.name, look, raw)) else "", where(point))
        for point, hint in zip(points, hints, strict=True)
    ]  # fmt: skip
    yield from (f"  {line}" for line in table(rows))
    if notes:
        yield ""
        yield from (f"[{number}] {note}" for number, note in enumerate(notes, 1))


def misfits(expected: Mapping[str, Sequence[Value]], look: Look) -> tuple[str, ...]:
    """A sentence for each point that reads something else than it does when the map fits the machine."""
    fit = MapFit(expected)
    for value in look.values.values():
        fit.take(DataValues.of(value))
    return fit.words


def machine_words(machine: Equipment) -> str:
    """What the machine is by these values, in a sentence."""
    now = machine.status()
    parts = [f"{now.state} (the machine says {now.raw_state!r})" if now.raw_state else now.state]
    parts += [f"mode {now.mode}"] if now.mode else []
    parts += [f"count {now.count}"] if now.count is not None and now.count_status != "Bad" else []
    parts += [f"alarm {now.alarm}"] if now.alarm else []
    return f"{now.id}: {', '.join(parts)}."


def found_rows(found: Sequence[Found]) -> list[tuple[str, ...]]:
    """What was browsed, with a sign at what has more within."""
    return [
        ("" if one.status is None else "Bad" if one.status is StatusCode.BAD else shown(one.value),
         one.kind + (" >" if one.inside else ""), one.name, one.place)
        for one in found
    ]  # fmt: skip


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines with columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def shown(value: object) -> str:
    """A value for people; of what was sent, registers as four hexadecimal digits and bits as 0 and 1."""
    match value:
        case None:
            return "-"
        case list():
            return " ".join(
                f"{int(part):04X}" if not isinstance(part, bool) else str(int(part)) for part in value
            )
        case bool() | float():
            return number_words(value, 7)
        case _:
            return str(value)


def where(point: Any) -> str:
    """The place of a point as the site file says it; empty when its driver does not tell."""
    return str(getattr(point, "where", ""))


def sent(name: str, look: Look, raw: Raw) -> list[Value] | None:
    """The numbers that were sent for a point; None when they are not known."""
    parts = [look.values[part].value for part in raw.get(name, ()) if part in look.values]
    return None if not parts or None in parts else parts


def _verdict(value: DataValue | None) -> str:
    if value is None:
        return "NO ANSWER"
    return {StatusCode.GOOD: "OK", StatusCode.UNCERTAIN: "UNCERTAIN", StatusCode.BAD: "BAD"}[value.status]


def _value(point: Any, look: Look, means: Meanings) -> str:
    if not look.good(point.name):
        return "no value"
    value = look.values[point.name].value
    return " ".join(filter(None, (shown(value), means.unit(point.name), means.word(point.name, value))))


def _hint(point: Any, look: Look, raw: Raw) -> str:
    """What to check; empty when nothing is."""
    if look.good(point.name):
        value = look.values[point.name].value
        odd = isinstance(value, float) and value != 0 and not _LIKELY[0] <= abs(value) <= _LIKELY[1]
        return _TURNED if odd and sent(point.name, look, raw) else ""
    if point.name not in look.values:
        return _SILENT
    if point.name not in raw:
        return _NO_PART if getattr(point, "field", "") else _SAYS_BAD
    if sent(point.name, look, raw) is None:
        return _REFUSED
    factor = getattr(point, "scale_from", "")
    return _FACTOR.format(factor=factor) if factor and not look.good(factor) else _MEANS_NONE
