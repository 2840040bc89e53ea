"""Where a counter in registers starts again at 0.

>>> from device_drivers.modbus.points import Point, Type
>>> counter_modulus(Point(name="good", address=0)), counter_modulus(Point(name="good", address=0, type=Type.BCD16))
(65536, 10000)
"""

from __future__ import annotations

from device_drivers.modbus.points import Point, Type

_BITS = {
    Type.UINT16: 16, Type.INT16: 16, Type.UINT32: 32, Type.INT32: 32, Type.UINT64: 64, Type.INT64: 64,
}  # fmt: skip


def counter_modulus(point: Point) -> int | None:
    """How many numbers it has; None for a float, which says nothing of it. Raises ValueError: it can be no counter.

    A signed type goes on at its least number: all that its bits give, unless the controller leaves the sign out.
    """
    if point.kind in (Type.BCD16, Type.BCD32):
        return int(10 ** (4 * point.size))
    if point.kind in (Type.STRING, Type.BOOL):
        raise ValueError(f"a {point.kind} is no number: count in a register of whole numbers")
    if point.kind in (Type.FLOAT32, Type.FLOAT64):
        return None
    if (point.scale, point.offset, point.scale_from) != (1.0, 0.0, ""):
        raise ValueError(
            "with a scale or an offset nobody knows where it starts again at 0: "
            "leave `scale`, `offset` and `scale_from` out"
        )
    return 1 << (point.bits or _BITS[point.kind])
