"""Opens the serial port of a line: the only file of the driver that knows pymodbus."""

from __future__ import annotations

import asyncio
import termios

from pymodbus.transport.serialtransport import SerialTransport

from device_drivers.contract import Misconfigured
from device_drivers.modbus.options import SerialPort
from device_drivers.modbus.wire import Wire
from device_drivers.serial_ports import not_opened


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
        raise not_opened(serial.port, error, "Is the adapter of the serial line plugged in?") from error
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
