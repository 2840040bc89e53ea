"""The other side of the connector `rest`: the reference ERP, a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from sync.connectors.rest import Options
from sync.contract import Fact, MaterialProduced, Person
from tests.support.erp_process import ErpProcess
from tests.support.manual_clock import START
from tests.sync.plant import PLANS, order

PAGE = b"<html>Please log in to the guest network</html>"


class Partner:
    """The reference ERP with ten open orders."""

    def __init__(self, folder: Path) -> None:
        self._erp = ErpProcess(folder, [*PLANS, *(order(f"J{job}") for job in range(10))])
        self._wrong_token = folder / "wrong-token"
        self._wrong_token.touch(mode=0o600)
        self._wrong_token.write_text("wrong")

    @property
    def port(self) -> int:
        return self._erp.port

    def start(self) -> None:
        self._erp.start()

    def stop(self) -> None:
        self._erp.kill()

    def options(self, port: int, *, timeout: float = 5.0, wrong_credentials: bool = False) -> Options:
        token = self._wrong_token if wrong_credentials else self._erp.token_file
        return Options(url=f"http://127.0.0.1:{port}", token_file=token, timeout=timeout)

    def fact(self, agent: str, seq: int, job: int = 0, *, refused: bool = False) -> Fact:
        body = MaterialProduced(
            about=f"J{job}", material="NOTHING-OF-OURS" if refused else "HOUSING", quantity=Decimal(1),
            uom="pc", equipment="saw-1",
        )  # fmt: skip
        return Fact(
            id=f"{agent}-{seq}", seq=seq, agent=agent, event_time=START, record_time=START, clock_ok=True,
            terminal="t1", person="p1", body=body,
        )  # fmt: skip

    def booked(self, agent: str) -> list[str]:
        return [booking.fact for booking in self._erp.bookings(agent) if booking.outcome == "applied"]

    def change_plan(self, id: str) -> None:
        self._erp.put(Person(id=id, name=f"Name of {id}", badge=id))

    def replies(self) -> Mapping[str, bytes]:
        return {
            "server_error": b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
            "not_allowed": b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n",
            "portal": b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n"
            + f"content-length: {len(PAGE)}\r\n\r\n".encode()
            + PAGE,
        }
