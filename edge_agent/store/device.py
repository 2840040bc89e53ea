"""Which PC this is, for the ERP: a key made at random with the data folder, and an epoch.

Kept in two files beside the database and never in a backup: two PCs must not have the same key because
they have the same facts. Two files, so that one that rots does not make another PC of this one.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec

from edge_agent.store.disk import DISK, Disk, replace
from sync.device import Device

_FILES = ("device.json", "device-copy.json")


def own_device(folder: Path, disk: Disk = DISK) -> Device:
    """The device of a data folder; made when there is none. Raises OSError."""
    found = [_read(disk, folder / name) for name in _FILES]
    known = [device for device in found if device is not None]
    device = max(known, key=lambda each: each.epoch) if known else Device(secrets.token_hex(16))
    if found != [device] * len(_FILES):
        try:
            keep_device(folder, device, disk)
        except OSError:
            if not known:
                raise
    return device


def keep_device(folder: Path, device: Device, disk: Disk = DISK) -> None:
    """From now on the folder is that of this device. Raises OSError."""
    for name in _FILES:
        replace(disk, folder / name, msgspec.json.encode(device))


def new_device(kept: int, now: float) -> Device:
    """The device that takes the place of one of epoch `kept`. `now` in seconds: of two restored from one
    backup the later one is the agent."""
    return Device(secrets.token_hex(16), max(kept + 1, int(now)))


def _read(disk: Disk, path: Path) -> Device | None:
    try:
        return msgspec.json.decode(disk.read(path), type=Device)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
