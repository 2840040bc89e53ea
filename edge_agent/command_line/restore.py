"""`floorhand backup` and `floorhand restore`: the journal of a PC that dies goes on on another one."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import sys
from contextlib import closing
from pathlib import Path

import config
from edge_agent.client import AgentClient
from edge_agent.clock import SystemClock
from edge_agent.command_line.agent_commands import with_agent
from edge_agent.command_line.run import ATTENTION, OK, tell_problems
from edge_agent.display import display_safe
from edge_agent.places import PlaceError, own_data
from edge_agent.site import build_connectors, load_site
from edge_agent.store import StoreError
from edge_agent.store import backup as copies
from edge_agent.store.audit import Audit, user_of_this_pc
from edge_agent.store.device import keep_device, new_device, own_device
from edge_agent.store.disk import DISK
from edge_agent.views.upkeep import BackupMade
from sync.device import Device
from sync.ports import Connector, SyncError

_COPY = "journal.restoring"
_SIDES = ("", "-wal", "-shm")


class _Refused(Exception):
    """It can not be restored here; the text says why and what to do."""


def backup(given: argparse.Namespace) -> int:
    """`floorhand backup FILE`: a copy of the journal of the running agent; FILE must not be there."""

    async def look(agent: AgentClient) -> int:
        return _taken_away(await agent.backup(), given.file)

    if given.file.exists():
        print(f"{given.file} is there already: a backup never overwrites. Name a new file.", file=sys.stderr)
        return ATTENTION
    return with_agent(given, look)


def _taken_away(made: BackupMade, file: Path) -> int:
    try:
        _copied(Path(made.file), file)
    except OSError as error:
        what = f"Can not write {file}: {error.strerror}. The backup is whole in {made.file}."
        print(display_safe(what, limit=400), file=sys.stderr)
        return ATTENTION
    Path(made.file).unlink(missing_ok=True)
    print(f"Backup of {made.facts} facts written to {file} ({made.bytes} bytes).")
    return OK


def restore(given: argparse.Namespace) -> int:
    """`floorhand restore BACKUP`: 0 when the agent can be started here, 1 with what stands in the way."""
    try:
        settings = load_site(given.site)
        connectors = build_connectors(settings, given.site)
    except config.ConfigError as error:
        return tell_problems(error, as_json=False)
    try:
        with closing(own_data(settings.site.data)):
            print(_restored(given.backup, settings, connectors))
    except (PlaceError, StoreError, SyncError, _Refused) as error:
        print(display_safe(str(error), limit=600), file=sys.stderr)
        return ATTENTION
    except OSError as error:
        print(f"Can not write {settings.site.data}: {error.strerror}.", file=sys.stderr)
        return ATTENTION
    return OK


def _restored(source: Path, settings: config.Settings, connectors: dict[str, Connector]) -> str:
    """Restore into the data folder; what a person should know of it, in words."""
    site, clock = settings.site, SystemClock()
    journal, copy = site.data / "journal.db", site.data / _COPY
    if journal.exists() or (site.data / "mirror").exists():
        raise _Refused(
            f"There is a journal in {site.data} already: nothing was changed. Restore into an empty data folder."
        )
    if not source.is_file():
        raise _Refused(f"There is no backup {source}.")
    _clear(copy)
    _copied(source, copy)
    try:
        last = copies.opened(copy, site.agent)
        device = new_device(own_device(site.data).epoch, clock.now().timestamp())
        known = asyncio.run(_taken_over(connectors, device))
        _, filled = copies.continue_behind(copy, site.agent, known, clock.now())
        keep_device(site.data, device)
        copy.rename(journal)
    finally:
        _clear(copy)
    DISK.sync_folder(site.data)
    user = user_of_this_pc(os.geteuid())
    Audit(site.data).note("restored", clock.now(), user=user, file=str(source), facts=last, filled=filled - last)
    words = f"Restored {last} facts of agent {site.agent}. "
    if filled > last:
        words += (
            f"The old PC sent {filled - last} more after the backup (numbers {last + 1} to {filled}): the ERP has "
            "them, this PC shows them as FactLost. "
        )
    return words + "The old PC is refused by the ERP from now on. Start the agent: floorhand run"


async def _taken_over(connectors: dict[str, Connector], device: Device) -> dict[str, int]:
    """Be the agent at every ERP; how far each of them knows it. Raises _Refused, SyncError."""
    known = {}
    for name, connector in connectors.items():
        connector.introduce(device)
        try:
            known[name] = (await connector.pull(None)).as_of_seq
        except SyncError as error:
            raise _Refused(
                f"The ERP of connector {name} must be asked which numbers it has: {error} Nothing was restored; "
                "do it again when it answers."
            ) from error
        finally:
            await connector.close()
    return known


def _copied(source: Path, target: Path) -> None:
    """A copy of mode 0600, synced, to a file that is not there. Raises OSError."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, source.open("rb") as read:
        shutil.copyfileobj(read, file, 2**20)
        file.flush()
        os.fsync(file.fileno())
    DISK.sync_folder(target.parent)


def _clear(copy: Path) -> None:
    for side in _SIDES:
        with contextlib.suppress(FileNotFoundError):
            copy.with_name(copy.name + side).unlink()
