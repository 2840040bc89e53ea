"""Whether the folders of a site file can be what they are to be, on this PC and for this user."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from config.problems import Problem
from config.settings import Site


def place_problems(site: Site, file: str) -> list[Problem]:
    """What is wrong with the data folder and with the socket of a site; paths are absolute. Makes nothing."""
    wanted = "a folder that this user may write, or a path where one can be made"
    told = [Problem(file, "site.data", what, wanted) for what in _unusable(site.data)]
    told += [Problem(file, "site.socket", what, f"in {wanted}") for what in _unusable(site.socket.parent)]
    if _in_the_way(site.socket):
        told.append(Problem(file, "site.socket", f"{site.socket} is there and is not a socket", "a free path"))
    return told


def _unusable(folder: Path) -> Iterator[str]:
    """Why a folder can not be used or made."""
    found = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if not found.is_dir():
        yield f"{found} is not a folder"
    elif not os.access(found, os.W_OK | os.X_OK):
        yield f"{found} can not be written by this user"


def _in_the_way(path: Path) -> bool:
    try:
        return not stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:  # nothing is there, or its folder is no folder, which is told above
        return False
