"""The demo's ERP is taken away and comes back, and its office closes an order and opens it again."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge_agent.demo.plans import plans
from edge_agent.demo.plant import Plant
from edge_agent.demo.switch import ErpSwitch
from tests.agent.running import until
from tests.scenarios.floor import NOW


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[Plant]:
    """A plant of which only the ERP runs."""
    found = Plant(tmp_path)
    token = tmp_path / "erp.token"
    token.touch(mode=0o600)
    token.write_text("demo-token\n", encoding="ascii")
    (tmp_path / "plans.json").write_bytes(msgspec.json.encode(plans(NOW)))
    await found.erp_back()
    try:
        yield found
    finally:
        if found.erp_runs:
            await found.erp_away()
        await found.client.close()


async def say(plant: Plant, words: str) -> None:
    await asyncio.to_thread((plant.folder / "erp").write_text, f"{words}\n")


async def status(plant: Plant, order: str) -> str:
    """How the order stands at the ERP."""

    def asked() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{plant.network.upstream_port}/v1/orders", timeout=5) as reply:
            orders = [each["order"] for each in json.load(reply)["orders"]]
        return str(next(each["dispatch_status"] for each in orders if each["id"] == order))

    return await asyncio.to_thread(asked)


async def becomes(plant: Plant, order: str, wanted: str) -> None:
    async def so() -> bool:
        return await status(plant, order) == wanted

    await until(so, f"{order} is {wanted}")


async def test_the_office_closes_an_order_and_opens_it_again(plant: Plant) -> None:
    async with ErpSwitch(plant):
        await say(plant, "close J-204")
        await becomes(plant, "J-204", "Completed")
        await say(plant, "nonsense close J-999 open J-204")
        await becomes(plant, "J-204", "Released")


async def test_what_the_office_decides_while_the_erp_is_away_holds_before_it_is_back(plant: Plant) -> None:
    before = plant.network.upstream_port
    async with ErpSwitch(plant):
        await say(plant, "off close J-204 on")

        async def back() -> bool:
            return plant.network.upstream_port != before

        await until(back, "the ERP is back")
        assert await status(plant, "J-204") == "Completed"  # from the first moment at which an agent can reach it
