"""Why a serial port does not open, in words for an electrician."""

from __future__ import annotations

import errno

from device_drivers.contract import Unreachable


def not_opened(port: str, error: OSError, hint: str) -> Unreachable:
    """What to raise for a port that did not open; `hint` asks for what is plugged in there when it is missing.

    >>> str(not_opened("/dev/ttyUSB0", OSError(errno.ENOENT, "No such file"), "Is the scanner plugged in?"))
    'There is no port /dev/ttyUSB0. Is the scanner plugged in?'
    """
    match error.errno:
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return Unreachable(f"There is no port {port}. {hint}")
        case errno.EACCES | errno.EPERM:
            return Unreachable(
                f"The agent may not open {port}. Put its user into the group that owns the port "
                "(often dialout), and start it again."
            )
        case errno.EBUSY | errno.EAGAIN:
            return Unreachable(f"Another program holds {port}. Close it, or name another port.")
        case _:
            return Unreachable(f"Can not open {port} as a serial port: {error.strerror or error}.")
