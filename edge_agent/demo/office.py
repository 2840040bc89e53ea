"""The office at the demo's ERP: it completes an order, or releases it again."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

import msgspec

from sync.contract import AnyPlan, JobOrder

_PATIENCE = 10.0  # seconds


def orders_of(plans: Path) -> dict[str, JobOrder]:
    """The orders of a demo by their id, released as its first plans have them."""
    told = msgspec.json.decode(plans.read_bytes(), type=list[AnyPlan])
    return {each.id: each for each in told if isinstance(each, JobOrder)}


def decide(port: int, token: str, order: JobOrder, released: bool) -> None:
    """Tell the ERP on 127.0.0.1. Raises urllib.error.URLError. Blocks."""
    if released:
        _call(port, token, "PUT", "v1/plans", msgspec.json.encode([order]))
    else:
        _call(port, token, "POST", f"v1/orders/{quote(order.id)}/close", b"")


def _call(port: int, token: str, method: str, path: str, body: bytes) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/{path}", data=body, method=method, headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=_PATIENCE):
        pass
