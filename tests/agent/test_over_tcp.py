"""A terminal and the command line at the port of an agent, with its token; what is refused before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from edge_agent.agent_line import line_to
from edge_agent.client import AgentAway, AgentClient, InputRefused
from edge_agent.scanning.labels import label
from edge_agent.views import Kind, View
from tests.agent.person import Person
from tests.agent.running import Plant, plant_in, short_folder
from tests.agent.screen import screen_of
from tests.agent.test_access import TOKEN, free_port
from tests.agent.test_cli import floorhand


class Reached(NamedTuple):
    """A plant whose agent listens on a port, and the file of the token."""

    plant: Plant
    address: str
    token: Path


@pytest.fixture(scope="module")
def reached() -> Iterator[Reached]:
    with short_folder() as folder:
        token = folder / "api-token"
        token.touch(mode=0o600)
        token.write_text(TOKEN + "\n")
        port = free_port()
        with plant_in(folder, 2, f'[api]\nport = {port}\ntoken_file = "api-token"\n') as plant:
            yield Reached(plant, f"http://127.0.0.1:{port}", token)


async def test_a_person_works_over_the_port(reached: Reached) -> None:
    async with AgentClient(reached.address, reached.token) as agent:
        view = await Person(agent, "T1").work_on()
        async for event in agent.events("T1"):
            assert isinstance(event, View)
            assert event.revision == view.revision
            break
        assert [each async for each in agent.samples()] == []
        await agent.keys_pressed("T1")
        with pytest.raises(InputRefused):
            await agent.keys_pressed("none")
    async with AgentClient(reached.plant.agent.address) as owner:
        assert (await owner.view("T1")).who == view.who


def test_the_terminal_program_draws_over_the_port(reached: Reached) -> None:
    with screen_of(reached.address, "T2", "--token-file", str(reached.token)) as screen:
        screen.shows("Scan your badge")
        screen.type(label(Kind.BADGE, "1002") + "\r")
        screen.shows("Bo Lindqvist")


def test_the_command_line_asks_over_the_port(reached: Reached) -> None:
    told = floorhand("status", "--address", reached.address, "--token-file", reached.token)
    assert told.stderr == ""
    told = floorhand("journal", "--address", reached.address, "--token-file", reached.token)
    assert told.returncode == 1
    assert "Only the user of the agent may do this" in told.stderr
    told = floorhand("pin", "p8", "--address", reached.address, "--token-file", reached.token)
    assert told.returncode == 1
    assert "Only the user of the agent may do this" in told.stderr


async def test_a_wrong_token_is_refused_in_words(reached: Reached, tmp_path: Path) -> None:
    wrong = tmp_path / "token"
    wrong.touch(mode=0o600)
    wrong.write_text("another-token")
    async with AgentClient(reached.address, wrong) as agent:
        with pytest.raises(InputRefused) as refused:
            await agent.health()
        assert refused.value.problem.code == "agent.wrong_token"
        with pytest.raises(InputRefused):
            await anext(aiter(agent.events("T1")))
    with screen_of(reached.address, "T2", "--token-file", str(wrong)) as screen:
        screen.shows("The token is missing or wrong.")


def test_a_wrong_token_on_the_command_line(reached: Reached, tmp_path: Path) -> None:
    wrong = tmp_path / "token"
    wrong.touch(mode=0o600)
    wrong.write_text("another-token")
    told = floorhand("status", "--address", reached.address, "--token-file", wrong)
    assert told.returncode == 1
    assert "[api] token_file" in told.stderr


async def test_nobody_at_the_port_is_an_agent_that_is_away(reached: Reached) -> None:
    port = free_port()
    async with AgentClient(f"http://127.0.0.1:{port}", reached.token) as agent:
        with pytest.raises(AgentAway, match=f"127.0.0.1:{port}"):
            await agent.health()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://192.168.1.7:8470", "192.168.1.7 is not this PC"), ("http://press3.plant:8470", "is not this PC"),
        ("http://127.0.0.1.evil.example:8470", "is not this PC"), ("http://0.0.0.0:8470", "is not this PC"),
        ("https://127.0.0.1:8470", "must be unix:/path"), ("http://127.0.0.1", "must be unix:/path"),
        ("http://127.0.0.1:99999", "must be unix:/path"), ("http://127.0.0.1:8470/v1", "must be unix:/path"),
        ("http://somebody@127.0.0.1:8470", "must be unix:/path"), ("unix:", "must be unix:/path"),
        ("http://[::1", "must be unix:/path"), ("unix:/run/agent.sock", "takes no token"),
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_this_pc_is_refused(address: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        line_to(address, tmp_path / "token")


def test_a_token_that_others_may_read_is_not_sent(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(mode=0o640)
    token.write_text(TOKEN)
    address = "http://127.0.0.1:8470"
    with pytest.raises(ValueError, match="can be read by others: chmod 600"):
        line_to(address, token)
    token.chmod(0o600)
    line = line_to("http://localhost:8470/", token)
    assert (line.name, line.base, line.path) == ("127.0.0.1:8470", "http://127.0.0.1:8470", None)
    assert TOKEN not in repr(line)
    with pytest.raises(ValueError, match="--token-file"):
        line_to(address)
    token.write_text("two words")
    with pytest.raises(ValueError, match="one token in plain characters") as refused:
        line_to(address, token)
    assert "two words" not in str(refused.value)
    told = floorhand("status", "--address", "http://10.0.0.9:8470", "--token-file", token)
    assert (told.returncode, "is not this PC" in told.stderr) == (2, True)
