"""Every message code that the agent can send has words in every language of the terminal."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent import scenarios
from edge_agent.demo.plans import plans
from edge_agent.planbook import PlanBook
from edge_agent.scanning.verdict import PARAMS
from tests.scenarios.floor import NOW

ROOT = Path(__file__).parents[2]
LANGUAGES = sorted((ROOT / "terminal_ui" / "texts").glob("*.toml"))
SAYING = (
    *(ROOT / "edge_agent" / "scenarios").glob("*.py"),
    *(ROOT / "edge_agent" / "scanning").glob("*.py"),
    *(ROOT / "edge_agent" / "terminals").glob("*.py"),
    *(
        ROOT / "edge_agent" / f"{name}.py"
        for name in ("pumps", "local_api/api", "client", "machines/write_gate", "machine_writes")
    ),
)
CODE = re.compile(r"[a-z]+(?:_[a-z0-9]+)*(?:\.[a-z0-9]+(?:_[a-z0-9]+)*)+")


def words(language: Path) -> dict[str, str]:
    """All texts of a language by code."""

    def flat(prefix: str, table: dict[str, Any]) -> Iterator[tuple[str, str]]:
        for key, value in table.items():
            if isinstance(value, dict):
                yield from flat(f"{prefix}{key}.", value)
            else:
                yield prefix + key, value

    return dict(flat("", tomllib.loads(language.read_text(encoding="utf-8"))))


def said_in(file: Path) -> Iterator[str]:
    """The codes in a module: dotted lower-case constants, but for what goes into the log."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    logged = {
        id(argument)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if isinstance(call.func.value, ast.Name) and call.func.value.id == "_log"
        for argument in call.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in logged:
            if CODE.fullmatch(node.value) and not node.value.endswith(".json"):
                yield node.value


def built() -> Iterator[str]:
    """The codes that are put together at run time."""
    for name, flow in scenarios.load().items():
        yield from (f"{name}.{step}" for step in flow.STEPS)
    yield from ("report_production.over_planned_ask", "report_production.over_counted_ask")
    yield from ("pick.saved_order_done", "pick.saved_short_order_done")
    yield from ("action.sign_off", "action.confirm", "action.back", "action.report", "action.park")
    book = PlanBook.of(plans(NOW))
    yield from {f"revision.{rev.kind}" for job in book.jobs.values() for rev in job.revisions}
    yield from PARAMS


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda path: path.stem)
def test_every_code_has_words(language: Path) -> None:
    known = words(language)
    codes = {code for file in SAYING for code in said_in(file)} | set(built())
    assert len(codes) > 80
    assert sorted(code for code in codes if code not in known) == []
