"""No password, PIN or token is known before somebody gives one: none is in the program, and none opens a new agent."""

from __future__ import annotations

import ast
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psutil
import pytest

import config
from edge_agent.scanning.labels import label
from edge_agent.views import Kind
from tests.agent.running import Plant, ask, plant_in, short_folder, site_text
from tests.agent.test_access import free_port
from tests.agent.test_cli import floorhand
from tests.house.sources import Source, offenders, product

SECRET = re.compile(r"(^|_)(password|passwd|pin|token|secret|api_?key|passphrase)$", re.IGNORECASE)

# Names of such a kind whose text is no secret, and why.
NO_SECRET = {
    "edge_agent/command_line/agent_commands.py agent.wrong_token": "a message code and its words",
    "edge_agent/local_api/access.py token": "the name of a kind of peer",
    "edge_agent/roles.py SET_PIN": "the name of an action",
    "edge_agent/scenarios/maintain_work.py accept_pin": "the name of a step",
}


def given(source: Source) -> Iterator[str]:
    """Where something that is called like a secret gets a text that is not empty."""
    for node in ast.walk(source.tree):
        pairs: list[tuple[str, ast.expr | None]] = []
        match node:
            case ast.Assign(targets=targets, value=value):
                pairs = [(ast.unparse(each).rpartition(".")[2], value) for each in targets]
            case ast.AnnAssign(target=target, value=value):
                pairs = [(ast.unparse(target).rpartition(".")[2], value)]
            case ast.keyword(arg=str(name), value=value):
                pairs = [(name, value)]
            case ast.arguments():
                named = [*node.posonlyargs, *node.args]
                defaults = named[len(named) - len(node.defaults) :]
                pairs = [(each.arg, value) for each, value in zip(defaults, node.defaults, strict=True)]
                pairs += [(each.arg, value) for each, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
            case ast.Dict(keys=keys, values=values):
                both = zip(keys, values, strict=True)
                pairs = [(str(key.value), value) for key, value in both if isinstance(key, ast.Constant)]
        for name, value in pairs:
            if SECRET.search(name) and isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                if f"{source.path} {name}" not in NO_SECRET:
                    yield f"{source.at(node)} {name}"


def test_no_secret_is_in_the_program() -> None:
    assert offenders(given, among=product()) == []


@pytest.mark.parametrize("text", [
    'token = "sesame"', 'def f(pin: str = "0000"): ...', 'f(password="x")', 'd = {"api_key": "x"}', 'self.secret = "x"',
])  # fmt: skip
def test_the_look_finds_one(text: str) -> None:
    assert len([*given(Source("x.py", text, ast.parse(text)))]) == 1


@pytest.fixture
def plant() -> Iterator[Plant]:
    with short_folder() as folder, plant_in(folder, policies='pin_roles = ["lead"]\n') as running:
        yield running


def test_a_new_agent_has_no_pin_that_opens_anything(plant: Plant) -> None:
    def give(kind: str, data: str) -> dict[str, Any]:
        body = json.dumps({"id": f"i-{kind}-{data}", "kind": kind, "data": data}).encode()
        told: dict[str, Any] = json.loads(ask(plant.agent.socket, "POST", "/v1/terminals/T1/input", body)[1])
        return told

    view = give("scan", label(Kind.BADGE, "1010"))
    assert (view["who"], view["step"], view["message"]["code"]) == (None, "badge", "pin.none"), "nobody is even asked"
    for pin in ("0000", "1234", "1111", "1010", "00000000", ""):
        assert give("entry", pin)["who"] is None
    with closing(sqlite3.connect(plant.agent.database)) as conn:
        assert conn.execute("SELECT count(*) FROM pin").fetchone() == (0,)
    listening = psutil.Process(plant.agent.pid).net_connections("inet")
    assert [each.laddr for each in listening if each.status == "LISTEN"] == []


@pytest.mark.parametrize("content", ["", "\n", "  \n"])
def test_an_empty_token_is_none(content: str) -> None:
    with short_folder() as folder:
        token = folder / "api-token"
        token.touch(mode=0o600)
        token.write_text(content)
        with pytest.raises(config.SecretError):
            config.read_secret(token)
        site = folder / "site.toml"
        site.write_text(site_text(more=f'[api]\nport = {free_port()}\ntoken_file = "api-token"\n'))
        told = floorhand("run", site)
        assert told.returncode != 0
        assert "token" in told.stderr
