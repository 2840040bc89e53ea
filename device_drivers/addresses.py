"""From the name of a device to a connection with it, for every driver on a network; no driver itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import TypeVar

from device_drivers.contract import Unreachable

P = TypeVar("P", bound=asyncio.Protocol)

_CHECK = "Check the spelling of the name in the site file, or DNS, or use an address instead."


async def addresses(host: str, timeout: float) -> tuple[str, ...]:
    """The addresses of a host, in the order in which they are to be tried; an address stands for itself.

    Raises Unreachable for a name that can not be resolved within `timeout` seconds. How many threads that
    costs is the loop's affair: it is asked by its `getaddrinfo`.
    """
    try:
        return (str(ip_address(host)),)
    except ValueError:
        pass  # a name
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise Unreachable(
            f"The name {host} can not be resolved: DNS does not answer within {timeout:g} s. {_CHECK}"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: what can not be a name at all
        raise Unreachable(f"The name {host} can not be resolved. {_CHECK}") from error
    return tuple(dict.fromkeys(str(place[0]) for *_, place in found))


async def connection(make: Callable[[], P], host: str, port: int, timeout: float) -> P:
    """A TCP connection to the first address of a host that takes it, within `timeout` seconds.

    Raises Unreachable for a name that can not be resolved; else OSError (TimeoutError is one) as the loop does.
    """
    known, loop = await addresses(host, timeout), asyncio.get_running_loop()
    async with asyncio.timeout(timeout):
        for address in known[:-1]:
            with suppress(OSError):  # the last one says why there is no connection
                return (await loop.create_connection(make, address, port))[1]
        return (await loop.create_connection(make, known[-1], port))[1]
