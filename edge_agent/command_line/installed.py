"""Whether the files of this program are those that were installed: against the hashes that pip kept (RECORD).

What somebody changed, took away or put beside them is found; somebody who can write there can write new hashes
as well. Against them only a folder helps that the user of the agent can not write, which the service has.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import Path
from typing import Literal

_PACKAGES = ("config", "device_drivers", "edge_agent", "sync", "terminal_ui")
_CODE = (".py", ".so", ".toml", ".json", ".sql", ".tcss")  # loaded by its name: a new file is as much as a changed one
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Installed:
    """What was found, and in words. `unknown`: there is nothing to compare with."""

    state: Literal["whole", "changed", "editable", "unknown"]
    words: str


def look_at_install(path: Iterable[str] | None = None) -> Installed:
    """Compare each file of this program. `path`: where distributions are looked for, in place of sys.path."""
    try:
        found = _found(path)
    except PackageNotFoundError:
        return Installed("unknown", "The program runs from a folder: nobody can tell whether its files were changed.")
    if _editable(found):
        return Installed("editable", "An editable install, for whoever develops: its files may change at any time.")
    files = found.files or []
    ours = [each for each in files if each.parts[0] in _PACKAGES and each.hash is not None]
    if not ours:
        return Installed("unknown", "The install keeps no hashes of its files: install it with pip, from the wheel.")
    wrong = [*map(str, filter(_changed, ours)), *_beside(found, {str(each) for each in files})]
    if not wrong:
        return Installed("whole", f"All {len(ours)} files of the program are as they were installed.")
    named = ", ".join(sorted(wrong)[:_NAMED]) + (" ..." if len(wrong) > _NAMED else "")
    return Installed(
        "changed",
        f"{len(wrong)} files of the program are not what was installed: {named}. Find out who changed them, then "
        "install it anew: pip install --force-reinstall.",
    )


def _found(path: Iterable[str] | None) -> Distribution:
    if path is None:
        return distribution("floorhand")
    for each in Distribution.discover(name="floorhand", path=[*path]):
        return each
    raise PackageNotFoundError("floorhand")


def _editable(found: Distribution) -> bool:
    try:
        told = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    return bool(told.get("dir_info", {}).get("editable"))


def _changed(file: PackagePath) -> bool:
    """RECORD has urlsafe base64 without its padding (PyPA, recording installed projects)."""
    assert file.hash is not None
    try:
        digest = hashlib.new(file.hash.mode, Path(str(file.locate())).read_bytes()).digest()
    except (OSError, ValueError):
        return True
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value


def _beside(found: Distribution, known: set[str]) -> list[str]:
    """Files of code in our packages that nobody installed: drivers and flows are found by their file."""
    root = Path(str(found.locate_file("")))
    return [
        name
        for package in _PACKAGES
        for file in sorted((root / package).rglob("*"))
        if file.suffix in _CODE and (name := file.relative_to(root).as_posix()) not in known
    ]
