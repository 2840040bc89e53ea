"""The whole demo plant on one machine: two machines, three scanners, an ERP and the agent, each a process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Self

import msgspec

from device_drivers.simulators.process import Simulator
from edge_agent.client import AgentAway, AgentClient
from edge_agent.clock import SystemClock
from edge_agent.demo.disturbances import Disturbances
from edge_agent.demo.network import Network
from edge_agent.demo.office import decide, orders_of
from edge_agent.demo.plans import plans
from edge_agent.views import Kind
from sync.token_file import read_token

AGENT = "demo-pc1"
SCANNERS = {"T1": 1, "T2": 2, "T3": 3}  # of which terminal each is
_PATIENCE = 20.0  # seconds in which each part must be ready

Told = Callable[[str], None]


class Plant:
    """Starts everything below `folder`, and ends all of it when left.

    `told` hears one line for each part, for a person who waits.
    """

    def __init__(self, folder: Path, told: Told = lambda line: None) -> None:
        self.folder = folder
        self.address = f"unix:{folder / 'data' / 'agent.sock'}"
        self.site = folder / "site.toml"
        self.client = AgentClient(self.address)
        self._told = told
        self._clock = SystemClock()
        self._stack = AsyncExitStack()
        self._erp: Simulator | None = None
        self._agent: asyncio.subprocess.Process | None = None
        self._decided: dict[str, bool] = {}  # orders, and whether the office wants them, while the ERP is away
        self._ends: list[int] = []  # what agents that ended said: minus the signal, or a status
        self._away_at: float | None = None
        self._away_seconds = 0.0
        self.network = Network(0)

    @staticmethod
    async def owner(folder: Path) -> str:
        """The process id of the agent that answers in this folder, whoever started it; empty when none does."""
        socket = folder / "data" / "agent.sock"
        async with AgentClient(f"unix:{socket}") as client:
            try:
                await client.health()
            except AgentAway:
                return ""
        lock = socket.with_name(socket.name + ".lock")
        return lock.read_text(errors="replace").strip() if lock.exists() else "unknown"

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stop()  # half a plant must not be left behind
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        token = self.folder / "erp.token"
        token.touch(mode=0o600)
        token.write_text("demo-token\n", encoding="ascii")
        (self.folder / "plans.json").write_bytes(msgspec.json.encode(plans(datetime.now(UTC))))
        starts = (
            self._simulator("modbus_machine", "--seed", "7", "--time-scale", "4"),
            self._simulator("opcua_machine", "--seed", "3", "--time-scale", "4"),
            *(
                self._simulator("scanner", "--link", self._at(f"scanner-{each}"), "--feed", self._at(f"scan-{each}"))
                for each in SCANNERS.values()
            ),
        )
        press, centre, *_ = await asyncio.gather(*starts)
        self._told("a press on Modbus, a machining centre on OPC UA and three scanners run")
        await self.erp_back()
        await self._stack.enter_async_context(self.network)
        self._told(f"the ERP runs; see what it books at {self.erp_page}")
        self._write_site(int(press.ready["port"]), str(centre.ready["endpoint"]))
        await self.start_agent()
        await self._until_plans()
        self._told("the agent runs and has its plans")

    async def _stop(self) -> None:
        await self.client.close()
        if self._agent is not None and self._agent.returncode is None:
            self._agent.terminate()
            await self._agent.wait()
        if self._erp is not None:
            await asyncio.to_thread(self._erp.stop)
        await self._stack.aclose()

    @property
    def erp_page(self) -> str:
        """Where the ERP shows people what it has booked: through the network, so that it stays the same."""
        return f"http://127.0.0.1:{self.network.port}/"

    async def start_agent(self) -> None:
        """Start the agent and wait until it answers."""
        log = (self.folder / "agent.log").open("ab")
        with log:
            self._agent = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "edge_agent", "run", str(self.site), stdin=asyncio.subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip
        await self.until_agent_answers()

    async def until_agent_answers(self) -> None:
        """Wait for the agent. Raises TimeoutError with the end of its log."""
        give_up = self._clock.monotonic() + _PATIENCE
        while True:
            try:
                await self.client.health()
                return
            except AgentAway:
                if self._clock.monotonic() > give_up:
                    log = (self.folder / "agent.log").read_text(errors="replace")
                    raise TimeoutError(f"The agent does not answer. Its log ends: {log[-1500:]}") from None
                await self._clock.sleep_until(self._clock.monotonic() + 0.02)

    async def _until_plans(self) -> None:
        """Wait for the first plans: before them nobody could sign on. Raises TimeoutError."""
        async with asyncio.timeout(_PATIENCE):
            while not any(row.kind is Kind.JOB for row in await self.client.labels()):
                await self._clock.sleep_until(self._clock.monotonic() + 0.02)

    async def kill_agent(self) -> None:
        """SIGKILL: the agent gets no chance to finish anything."""
        assert self._agent is not None
        with contextlib.suppress(ProcessLookupError):  # it ended by itself, which its status tells
            self._agent.send_signal(signal.SIGKILL)
        self._ends.append(await self._agent.wait())

    def disturbances(self) -> Disturbances:
        """What has happened to the agent, its network and its ERP so far, as it was measured."""
        kills = self._ends.count(-signal.SIGKILL)
        return Disturbances(
            kills=kills, ends=len(self._ends) - kills, lost_replies=self.network.lost_replies,
            away_calls=self.network.away_calls, erp_away_seconds=self._away_seconds,
        )  # fmt: skip

    async def erp_away(self) -> None:
        """The ERP is gone, without a good-bye."""
        assert self._erp is not None
        erp, self._erp = self._erp, None
        await asyncio.to_thread(erp.kill)
        self._away_at = self._clock.monotonic()

    async def erp_back(self) -> None:
        """The ERP runs (again) on the same books."""
        erp = await asyncio.to_thread(
            Simulator.start_module, "sync.reference_erp", "--port", "0", "--database", self._at("erp.db"),
            "--plans", self._at("plans.json"), "--token-file", self._at("erp.token"),
        )  # fmt: skip
        self._erp = erp
        decided, self._decided = self._decided, {}
        for order, released in decided.items():  # before the network leads there
            await self._office(order, released)
        self.network.upstream_port = int(erp.ready["port"])
        if self._away_at is not None:
            self._away_seconds += self._clock.monotonic() - self._away_at
            self._away_at = None

    @property
    def erp_runs(self) -> bool:
        """Whether the ERP is there."""
        return self._erp is not None

    async def office(self, order: str, released: bool) -> None:
        """The office completes an order, or releases it again; while the ERP is away, before it is back."""
        if order not in await asyncio.to_thread(orders_of, self.folder / "plans.json"):
            return
        if self._erp is None:
            self._decided[order] = released
        else:
            await self._office(order, released)

    async def _office(self, order: str, released: bool) -> None:
        assert self._erp is not None
        known = await asyncio.to_thread(orders_of, self.folder / "plans.json")
        token = await asyncio.to_thread(read_token, self.folder / "erp.token")
        await asyncio.to_thread(decide, int(self._erp.ready["port"]), token, known[order], released)

    def scan(self, scanner: int, text: str) -> None:
        """Pull the trigger: the text goes through the pseudo-terminal of that scanner."""
        feed = os.open(self.folder / f"scan-{scanner}", os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(feed, text.encode("unicode_escape") + b"\n")
        finally:
            os.close(feed)

    async def _simulator(self, name: str, *arguments: str) -> Simulator:
        simulator = await asyncio.to_thread(Simulator.start, name, *arguments)
        self._stack.callback(simulator.stop)
        return simulator

    def _at(self, name: str) -> str:
        return str(self.folder / name)

    def _write_site(self, press_port: int, endpoint: str) -> None:
        template = resources.files("edge_agent.demo").joinpath("site.toml").read_text(encoding="utf-8")
        values = {
            "folder": str(self.folder), "press_port": str(press_port), "endpoint": endpoint,
            "erp_port": str(self.network.port),
        }  # fmt: skip
        for name, value in values.items():
            template = template.replace("{" + name + "}", value)
        self.site.write_text(template, encoding="utf-8")
