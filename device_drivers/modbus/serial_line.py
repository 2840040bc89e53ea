"""Opens the serial port of a line: the only file of the driver that knows pymodbus."""

from __future__ import annotations

import asyncio
import errno
import termios

from pymodbus.transport.serialtransport import SerialTransport

from device_drivers.contract import DeviceError, Misconfigured, Unreachable
from device_drivers.modbus.options import SerialPort
from device_drivers.modbus.wire import Wire


async def open_serial(serial: SerialPort, wire: Wire) -> Wire:
    """The wire, on an open port that nobody else may use. Raises Unreachable or Misconfigured."""
    try:
        transport = SerialTransport(
            asyncio.get_running_loop(),
            wire,
            serial.port,
            serial.baudrate,
            8,
            serial.parity,
            serial.stopbits,
            0,
        )
    except OSError as error:
        raise _not_opened(serial.port, error) from error
    except (ValueError, termios.error) as error:
        settings = f"{serial.baudrate} baud, parity {serial.parity}, {serial.stopbits} stop bits"
        raise Misconfigured(f"The port {serial.port} does not take these settings: {settings}.") from error
    try:
        transport.setup()
        await wire.made
    except BaseException:
        transport.close()
        raise
    return wire


def _not_opened(port: str, error: OSError) -> DeviceError:
    match error.errno:
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return Unreachable(f"There is no port {port}. Is the adapter of the serial line plugged in?")
        case errno.EACCES | errno.EPERM:
            return Unreachable(
                f"The agent may not open {port}. Put its user into the group that owns the port "
                "(often dialout), and start it again."
            )
        case errno.EBUSY | errno.EAGAIN:
            return Unreachable(f"Another program holds {port}. Close it, or name another port.")
        case _:
            return Unreachable(f"Can not open {port} as a serial port: {error.strerror or error}.")
