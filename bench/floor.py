"""The floor that is measured: two machines at the pace of real ones, a scanner, an ERP, and a person."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Self

import msgspec

from bench.wires import Scanner
from device_drivers.simulators.process import Simulator
from edge_agent.client import AgentClient
from edge_agent.clock import SystemClock
from edge_agent.demo.plans import plans
from edge_agent.scanning.labels import label
from edge_agent.views import Input, Kind, View
from sync.contract import AnyPlan, JobOrder

JOBS = tuple(f"J-{number}" for number in range(901, 921))  # copies of one that has no drawing to scan, without an end
_COPIED = "J-206"
_RUNNING = ("--begin", "20")  # seconds into their shift, both machines have just begun to run for minutes
_PATIENCE = 20.0  # seconds
_ids = SystemClock()


class Floor:
    """Everything around the agent. `site` has the press, `whole_site` the OPC UA machine too; one database."""

    def __init__(self, folder: Path, more: Sequence[AnyPlan] = ()) -> None:
        """`more`: plans that the ERP has beside its own, or instead of those of the same name."""
        self.folder = folder
        self._more = more
        self.site = folder / "site.toml"
        self.whole_site = folder / "whole.toml"
        self.scanner = Scanner()
        self.token = "bench-token"
        self.erp_url = ""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._stack.callback(self.scanner.close)
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()  # half a floor must not be left behind
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        token, known = self.folder / "erp.token", self.folder / "plans.json"
        token.touch(mode=0o600)
        token.write_text(f"{self.token}\n", encoding="ascii")
        known.write_bytes(msgspec.json.encode([*_endless(plans(datetime.now(UTC))), *self._more]))
        press, centre, erp = await asyncio.gather(
            self._simulator("device_drivers.simulators.modbus_machine", "--seed", "7", *_RUNNING),
            self._simulator("device_drivers.simulators.opcua_machine", "--seed", "3", *_RUNNING),
            self._simulator(
                "sync.reference_erp", "--port", "0", "--database", str(self.folder / "erp.db"),
                "--plans", str(known), "--token-file", str(token),
            ),
        )  # fmt: skip
        self.erp_url = f"http://127.0.0.1:{erp.ready['port']}"
        site = _filled("site.toml", {
            "scanner": self.scanner.port, "press_port": press.ready["port"], "erp_port": erp.ready["port"],
        })  # fmt: skip
        self.site.write_text(site, encoding="utf-8")
        whole = site + "\n" + _filled("opcua.toml", {"endpoint": centre.ready["endpoint"]})
        self.whole_site.write_text(whole, encoding="utf-8")

    async def _simulator(self, module: str, *arguments: str) -> Simulator:
        simulator = await asyncio.to_thread(Simulator.start_module, module, *arguments)
        self._stack.callback(simulator.stop)
        return simulator


async def until_online(client: AgentClient) -> None:
    """Wait until every device gives values and the plans are there. Raises TimeoutError."""
    give_up = time.perf_counter() + _PATIENCE
    while time.perf_counter() < give_up:
        devices, labels = await client.devices(), await client.labels()
        if all(each.state == "online" for each in devices) and any(each.kind is Kind.JOB for each in labels):
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(f"Not every device came online within {_PATIENCE:g} s, or the plans did not come.")


async def send(client: AgentClient, terminal: str, kind: str, data: str) -> View:
    """One input with an id of its own."""
    return await client.send(terminal, Input(_ids.new_id(), kind, data))  # type: ignore[arg-type]


async def sign_on(client: AgentClient, terminal: str, badge: str) -> None:
    """A person scans their badge."""
    await send(client, terminal, "scan", label(Kind.BADGE, badge))


async def open_job(client: AgentClient, terminal: str, job: str) -> None:
    """Leave the job that is open, if one is, and open another. Raises RuntimeError when the terminal will not."""
    await send(client, terminal, "action", "list")
    view = await send(client, terminal, "scan", label(Kind.JOB, job))
    if (view.scenario, view.step) != ("report_production", "running"):
        said = view.message.code if view.message else "nothing"
        raise RuntimeError(f"{terminal} is at {view.scenario}.{view.step} instead of at work; it said {said}.")


def _endless(known: tuple[AnyPlan, ...]) -> list[AnyPlan]:
    """The demo's plans, and jobs that never get full."""
    model = next(plan for plan in known if isinstance(plan, JobOrder) and plan.id == _COPIED)
    return [*known, *(msgspec.structs.replace(model, id=job, quantity=Decimal(10**9)) for job in JOBS)]


def _filled(name: str, values: dict[str, object]) -> str:
    text = Path(__file__).with_name(name).read_text("utf-8")
    for key, value in values.items():
        text = text.replace("{" + key + "}", str(value))
    return text
