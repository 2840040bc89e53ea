"""Who follows "Connect an ERP" to its first agent can sign on at it and begin the order of the page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from device_drivers.simulators.process import Simulator
from tests.agent.running import AgentProcess, ask, short_folder, wait
from tests.docs.markdown import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "connect-an-erp.md"
BLOCKS = list(blocks(PAGE))


def command(words: str) -> list[str]:
    """The command of the page that has these words."""
    return shlex.split(next(row for each in BLOCKS if each.kind == "sh" for row in each.lines if words in row))


@contextmanager
def the_erp(folder: Path) -> Iterator[str]:
    """The reference ERP as the page starts it, with the plans of the page, on a free port; where it listens."""
    books = folder / "books"
    books.mkdir(mode=0o700)
    (books / "token").touch(mode=0o600)
    (books / "token").write_text("my-secret-token\n", encoding="ascii")
    (books / "plans.json").write_text(next(each.text for each in BLOCKS if each.more == "Plans"), encoding="utf-8")
    program, _, module, *options = command("sync.reference_erp")
    assert (program, module) == (".venv/bin/python", "sync.reference_erp")
    options[options.index("--port") + 1] = "0"
    erp = Simulator.start_module(module, *(each.replace("books/", f"{books}/") for each in options))
    try:
        yield str(erp.ready["url"])
    finally:
        erp.stop()


def test_the_person_of_the_page_signs_on_and_finds_the_order_of_the_page() -> None:
    with short_folder() as folder, the_erp(folder) as url:
        text = "\n".join(each.text for each in BLOCKS if each.kind == "toml")
        agent = AgentProcess(folder, text.replace("http://127.0.0.1:8300", url))
        scan = command("/input")
        place, body = scan[3].removeprefix("http://agent"), scan[scan.index("-d") + 1]
        try:
            agent.start()
            wait(lambda: b"J-201" in ask(agent.socket, "GET", "/v1/labels")[1], "the plans of the page")
            status, answer = ask(agent.socket, "POST", place, body.encode())
        finally:
            agent.end()
    assert status == 200, answer
    view = json.loads(answer)
    assert view["who"]["name"] == "Ana Silva"
    assert [each["id"] for each in view["choices"]] == ["J-201"]
