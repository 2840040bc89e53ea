"""What an agent that can not start leaves behind: nothing. And who is told to end does not start again."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import pytest

import config
from edge_agent.agent import Agent
from edge_agent.clock import SystemClock
from edge_agent.local_api.unix_socket import LocalSocket
from edge_agent.mender import Mender
from edge_agent.places import PlaceError
from sync.contract import Fact, PlanPage, Receipt
from sync.device import Device
from sync.ports import Unreachable
from tests.agent.running import short_folder


class _Erp:
    """A connector that reaches nobody; `closed` when it was told to end."""

    closed = False

    def introduce(self, device: Device) -> None:
        self.device = device

    async def push(self, facts: Sequence[Fact]) -> Sequence[Receipt]:
        raise Unreachable("no")

    async def ask(self, ids: Sequence[str]) -> Mapping[str, Receipt]:
        raise Unreachable("no")

    async def pull(self, cursor: str | None) -> PlanPage:
        raise Unreachable("no")

    async def close(self) -> None:
        self.closed = True


async def test_when_the_socket_can_not_be_had_every_connector_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(local: LocalSocket, group: int | None) -> None:
        raise PlaceError("Can not listen.")

    monkeypatch.setattr(LocalSocket, "listen", refused)
    erp = _Erp()
    with short_folder() as folder:
        site = config.Site(name="X", agent="x", data=folder, socket=Path(folder, "agent.sock"))
        settings = config.Settings(site=site, terminals=(config.Terminal(id="T1"),))
        with pytest.raises(PlaceError, match="Can not listen"):
            await Agent(settings, {"erp": erp}, SystemClock(), Random(1)).run()
    assert erp.closed


@pytest.mark.parametrize("told", [False, True])
async def test_an_agent_that_mends_itself_starts_again_unless_it_is_told_to_end(
    told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class _Slow(_Erp):
        """It takes its time to end, and somebody presses Ctrl+C meanwhile."""

        async def close(self) -> None:
            if told:
                os.kill(os.getpid(), signal.SIGTERM)

    async def found(self: Mender) -> None:
        self._again()

    monkeypatch.setattr(Mender, "run", found)
    with short_folder() as folder:
        site = config.Site(name="X", agent="x", data=folder, socket=Path(folder, "agent.sock"))
        settings = config.Settings(site=site, terminals=(config.Terminal(id="T1"),))
        again = await Agent(settings, {"erp": _Slow()}, SystemClock(), Random(1)).run()
    assert again is not told
