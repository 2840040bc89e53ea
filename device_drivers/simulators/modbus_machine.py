"""A press that speaks Modbus TCP: `python -m device_drivers.simulators.modbus_machine --port 0`.

Unit 1; addresses count from 0; words and bytes in the order of the standard (ABCD).

| table    | address | type    | what                                                  |
|----------|---------|---------|-------------------------------------------------------|
| holding  | 0       | uint16  | state, the PackML number                              |
| holding  | 1       | uint16  | mode: 1 production, 2 maintenance                     |
| holding  | 2       | uint32  | good parts since it was built                         |
| holding  | 4       | uint32  | scrap parts since it was built                        |
| holding  | 6       | uint16  | alarm code, 0 for none                                |
| holding  | 7       | uint16  | status word: bit 0 running, bit 1 alarm               |
| holding  | 8       | float32 | die temperature, degrees Celsius                      |
| holding  | 10      | float32 | cycle time, seconds                                   |
| holding  | 12      | int16   | oil temperature: sensor not fitted, always -32768     |
| holding  | 16      | string  | 8 registers: the name of the machine                  |
| holding  | 24      | uint16  | set point: speed, percent; 24 to 27 can be written    |
| discrete | 0, 1    | bool    | running, alarm                                        |
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import struct
import time
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from device_drivers.simulators.process import announce, termination
from device_drivers.simulators.shift import PRESS, Moment, Shift, UnitState

_NAME = b"FH-PRESS-250"
_REGISTERS = 24  # that follow the shift
SET_POINTS = range(24, 28)  # the only ones that can be written
_SPEED = 80  # percent, as it was delivered


def registers(moment: Moment, built: int = 0) -> list[int]:
    """The holding registers at a moment; `built`: the good parts before the shift."""
    data = struct.pack(
        ">HHIIHHffh",
        moment.state,
        moment.mode,
        (moment.good + built) % 2**32,
        moment.scrap,
        moment.alarm,
        bits(moment),
        moment.temperature,
        moment.cycle_time,
        -32768,
    )
    data = data.ljust(32, b"\0") + _NAME.ljust(16, b"\0")
    return list(struct.unpack(f">{_REGISTERS}H", data))


def bits(moment: Moment) -> int:
    """The status word at a moment."""
    return (moment.state is UnitState.EXECUTE) | bool(moment.alarm) << 1


async def serve(port: int, seed: int, time_scale: float, begin: float, built: int) -> None:
    """Listen on 127.0.0.1 until SIGTERM. `begin`: how many seconds of the shift are over at the start."""
    ended = termination()
    shift, started = Shift(PRESS, seed), time.monotonic()

    async def refresh(  # the signature is the library's
        function: int,
        start: int,
        address: int,
        count: int,
        current: list[int],
        new: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if new is not None:
            inside = function in (6, 16) and address in SET_POINTS and address + len(new) - 1 in SET_POINTS
            return None if inside else ExcCodes.ILLEGAL_ADDRESS  # everything else of this machine is only read
        moment = shift.at(begin + (time.monotonic() - started) * time_scale)
        fresh = [bits(moment)] if function == 2 else registers(moment, built)
        current[: len(fresh)] = fresh
        return None

    words = [SimData(0, values=[*[0] * _REGISTERS, _SPEED, *[0] * (len(SET_POINTS) - 1)], datatype=DataType.REGISTERS)]
    flags = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    device = SimDevice(1, simdata=(flags, flags, words, words), action=refresh)
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    announce(port=_port(server))
    await ended.wait()
    await server.shutdown()  # type: ignore[no-untyped-call]


def _port(server: ModbusTcpServer) -> int:
    listening: Any = server.transport  # an asyncio.Server, which the library does not say
    port: int = listening.sockets[0].getsockname()[1]
    return port


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A simulated press that speaks Modbus TCP.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one, told in the ready line")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another shift")
    parser.add_argument("--time-scale", type=float, default=1.0, help="10: ten times as fast")
    parser.add_argument("--begin", type=float, default=0.0, help="seconds of the shift that are over already")
    parser.add_argument("--built", type=int, default=0, help="good parts it has made before the shift")
    told = parser.parse_args()
    run = functools.partial(serve, told.port, told.seed, told.time_scale, told.begin, told.built)
    asyncio.run(run())


if __name__ == "__main__":
    main()
