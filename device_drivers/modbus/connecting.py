"""The line of a device, opened: the wire that fits its transport, on TCP or on a serial port."""

from __future__ import annotations

from collections.abc import Callable

from device_drivers.addresses import connection
from device_drivers.contract import Unreachable
from device_drivers.modbus.frames import Frame
from device_drivers.modbus.options import Options
from device_drivers.modbus.wire import RtuWire, TcpWire, Wire


async def connect(options: Options, on_late: Callable[[Frame], None]) -> Wire:
    """The line of a device, open. Raises Unreachable, or Misconfigured for a port that refuses its settings."""
    where = options.where
    if options.serial:
        # Here and not above: the library costs memory, and devices on TCP do without it.
        from device_drivers.modbus.serial_line import open_serial

        gone = f"The serial port {where} is gone. Plug its adapter in again; check its cable."
        return await open_serial(options.serial, RtuWire(where, gone, on_late))
    gone = (
        f"{where} closed the connection: it was switched off, or refuses us. See that it runs; many devices take "
        "only one or two connections at a time."
    )
    wire = TcpWire(where, gone) if options.transport == "tcp" else RtuWire(where, gone, on_late)
    try:
        await connection(lambda: wire, options.host, options.port, options.timeout)
    except OSError as error:  # TimeoutError is one
        wire.close()
        raise Unreachable(
            f"Nobody answers at {where}. Check the power and the network cable of the device, "
            "and the address in the site file."
        ) from error
    return wire
