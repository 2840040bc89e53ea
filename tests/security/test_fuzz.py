"""What the two APIs say of themselves holds, whatever they are asked; and nothing asked is a fault of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_agent.demo.plans import plans
from tests.agent.running import Plant, ask, plant_in, short_folder
from tests.agent.test_access import TOKEN, free_port
from tests.security.fuzz import fuzz
from tests.support.erp_process import TOKEN as ERP_TOKEN
from tests.support.erp_process import ErpProcess

STREAMS = ("/v1/events", "/v1/terminals/{terminal}/scanner-test")  # they end when whoever listens goes away


@pytest.fixture(scope="module")
def agent() -> Iterator[tuple[Plant, int]]:
    """An agent with plans, reached over TCP."""
    with short_folder() as folder:
        (folder / "api-token").touch(mode=0o600)
        (folder / "api-token").write_text(TOKEN)
        port = free_port()
        more = f'[api]\nport = {port}\ntoken_file = "api-token"\n'
        with plant_in(folder, 2, more) as plant:
            yield plant, port


def told(words: str) -> int:
    """How many cases were tried."""
    found = re.findall(r"(\d[\d,]*) generated", words)
    return int(found[-1].replace(",", "")) if found else 0


def test_the_agent_answers_as_it_says(agent: tuple[Plant, int], tmp_path: Path) -> None:
    plant, port = agent
    status, words = fuzz(f"http://127.0.0.1:{port}", TOKEN, tmp_path, STREAMS)
    assert status == 0, words
    assert told(words) > 50, words
    assert ask(plant.agent.socket, "GET", "/v1/health")[0] == 200
    assert "bug" not in plant.agent.log


def test_an_answer_that_is_not_in_the_document_is_found(agent: tuple[Plant, int], tmp_path: Path) -> None:
    plant, port = agent
    known = json.loads(plant.get("/openapi.json"))
    known["paths"] = {"/v1/health": known["paths"]["/v1/health"]}
    known["components"]["schemas"]["Health"]["properties"]["unsent"] = {"type": "string"}
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(known))
    status, words = fuzz(f"http://127.0.0.1:{port}", TOKEN, tmp_path, document=str(file))
    assert status == 1, words
    assert "unsent" in words


def test_a_status_that_is_not_in_the_document_is_found(agent: tuple[Plant, int], tmp_path: Path) -> None:
    plant, port = agent
    known = json.loads(plant.get("/openapi.json"))
    known["paths"] = {"/v1/health": known["paths"]["/v1/health"]}
    del known["paths"]["/v1/health"]["get"]["responses"]["401"]
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(known))
    status, words = fuzz(f"http://127.0.0.1:{port}", "not-the-token", tmp_path, document=str(file))
    assert told(words) > 0, words
    assert (status, "Received: 401" in words) == (1, True), words


def test_the_reference_erp_answers_as_it_says(tmp_path: Path) -> None:
    erp = ErpProcess(tmp_path, plans(datetime.now(UTC)))
    erp.start()
    try:
        status, words = fuzz(erp.url, ERP_TOKEN, tmp_path)
        assert status == 0, words
        assert told(words) > 50, words
        assert erp.call("GET", "/v1/orders")
    finally:
        erp.kill()
