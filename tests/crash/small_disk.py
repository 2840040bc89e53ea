"""A disk of a few megabytes, real to the kernel: a tmpfs of its own. Needs root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.optional import missing


class NoSmallDisk(Exception):
    """This PC can not mount a small disk; the text says why."""


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mounted at `folder`, unmounted behind the block; a PC that can not do it skips the test."""
    with ExitStack() as stack:
        try:
            stack.enter_context(mounted(folder, megabytes))
        except NoSmallDisk as error:
            missing(str(error))
        yield folder


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Path]:
    """The same for who can not skip. Raises NoSmallDisk."""
    if os.geteuid() != 0:
        raise NoSmallDisk("only root can mount a small disk")
    folder.mkdir()
    options = f"size={megabytes}m,mode=700"
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "floorhand-test", str(folder)], capture_output=True, text=True
    )
    if made.returncode:
        raise NoSmallDisk(f"this system mounts no small disk: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(path: Path, leave: int = 0) -> None:
    """Take every byte that is free but `leave`, as the log of another program would."""
    disk = os.statvfs(path.parent)
    with path.open("ab") as file:
        rest = disk.f_bavail * disk.f_frsize - leave
        while rest > 0:
            try:
                rest -= file.write(bytes(min(rest, 65536)))
                file.flush()
            except OSError:
                return
