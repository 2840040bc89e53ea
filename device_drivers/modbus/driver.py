"""The Modbus TCP driver: the only file that knows pymodbus."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from device_drivers.contract import (
    BadReply,
    Clock,
    DataValue,
    DeviceError,
    Emit,
    Online,
    StatusCode,
    TimedOut,
    Unreachable,
)
from device_drivers.modbus.blocks import Block, decode, plan
from device_drivers.modbus.options import Options, Table

# What the library would log is raised here; the supervisor tells it once.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL + 1)

# Exceptions by which a gateway says that the unit behind it is silent (application protocol, 7).
_GATEWAY_EXCEPTIONS = frozenset({0x0A, 0x0B})


class Driver:
    """Polls one unit at a steady pace, one request in flight.

    A block that the device refuses makes its points BAD and nothing else; a device that does not
    answer, or answers something else than was asked, ends the connection: a late answer can then
    never be taken for the next one.
    """

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._blocks = plan(options.points, options.max_registers, options.max_gap)
        self._where = f"{options.host}:{options.port}"
        self._online = False

    async def run(self, emit: Emit) -> None:
        """Poll until cancelled; see device_drivers.contract.Driver."""
        client = AsyncModbusTcpClient(
            self._options.host,
            port=self._options.port,
            timeout=self._options.timeout,
            retries=0,  # a repeated request makes a slow device slower and earns late answers
            reconnect_delay=0,  # the supervisor starts a fresh driver
        )
        try:
            await self._connect(client)
            _heed_cancellation()
            due = self._clock.monotonic()
            while True:
                for block in self._blocks:
                    await self._read(client, block, emit)
                due = next_due(due, self._options.interval, self._clock.monotonic())
                await self._clock.sleep_until(due)
        finally:
            client.close()

    async def _connect(self, client: AsyncModbusTcpClient) -> None:
        try:
            connected = await client.connect()
        except (ModbusException, OSError) as error:
            raise Unreachable(f"Can not connect to {self._where}: {error}.") from error
        if not connected:
            raise Unreachable(
                f"Nobody answers at {self._where}. Check the power and the network cable of the device, "
                "and the address in the site file."
            )

    async def _read(self, client: AsyncModbusTcpClient, block: Block, emit: Emit) -> None:
        """One request; its points are emitted with the moment of the request."""
        asked_at = self._clock.now()
        answer = await self._ask(client, block)
        _heed_cancellation()
        if not self._online:
            self._online = True
            emit(Online(identity=""))
        for point in block.points:
            value = None if answer is None else decode(point, block.part(point, answer))
            status = StatusCode.BAD if value is None else StatusCode.GOOD
            emit(DataValue(point.name, value, status, asked_at))

    async def _ask(self, client: AsyncModbusTcpClient, block: Block) -> Sequence[int] | None:
        """The registers or bits of a block; None when the device refuses to give them."""
        started = self._clock.monotonic()
        try:
            reply = await _request(client, block, self._options.unit)
        except (ModbusException, OSError) as error:
            raise self._lost(client, block, started) from error
        if reply.isError():
            if reply.exception_code in _GATEWAY_EXCEPTIONS:
                raise Unreachable(
                    f"The gateway at {self._where} answers, but not unit {self._options.unit} behind it. "
                    "Check the unit number and the bus cable."
                )
            return None
        got = reply.bits if block.table.of_bits else reply.registers
        # Bits are padded to whole bytes; the library does not compare the count with what was asked.
        expected = -(-block.count // 8) * 8 if block.table.of_bits else block.count
        if len(got) != expected or reply.function_code != _FUNCTION_CODES[block.table]:
            raise BadReply(
                f"{self._where} answers {len(got)} {block.table} values from address {block.address} on "
                f"where {expected} were asked for. Is it a Modbus device, and this its unit number?"
            )
        return got[: block.count]

    def _lost(self, client: AsyncModbusTcpClient, block: Block, started: float) -> DeviceError:
        """What happened to a request that got no usable answer, judged by the facts, not by words."""
        if not client.connected:
            return Unreachable(f"{self._where} closed the connection.")
        if self._clock.monotonic() - started >= self._options.timeout * 0.9:
            return TimedOut(
                f"{self._where} does not answer within {self._options.timeout:g} s "
                f"(unit {self._options.unit}, {block.table} {block.address})."
            )
        return BadReply(f"{self._where} answers something that is not Modbus, or another request.")


def next_due(due: float, interval: float, now: float) -> float:
    """When the poll after the one of `due` starts: on the grid, in the future, late ones left out.

    >>> next_due(10.0, 0.5, 10.1), next_due(10.0, 0.5, 11.2)
    (10.5, 11.5)
    """
    return due + interval * max(1, math.ceil((now - due) / interval))


def _heed_cancellation() -> None:
    """Raise the cancellation that the library may have lost.

    It waits by asyncio.wait_for, which before Python 3.12 forgets a cancellation that comes in the
    same moment as the answer; the poll would then go on for ever.
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


_FUNCTION_CODES = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}


async def _request(client: AsyncModbusTcpClient, block: Block, unit: int) -> ModbusPDU:
    match block.table:
        case Table.COIL:
            return await client.read_coils(block.address, count=block.count, device_id=unit)
        case Table.DISCRETE:
            return await client.read_discrete_inputs(block.address, count=block.count, device_id=unit)
        case Table.HOLDING:
            return await client.read_holding_registers(block.address, count=block.count, device_id=unit)
        case Table.INPUT:
            return await client.read_input_registers(block.address, count=block.count, device_id=unit)
