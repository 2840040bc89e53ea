"""The command line against a running agent: what it prints, and the exit code that monitoring reads."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edge_agent.__main__ import main
from edge_agent.command_line.parser import parser
from tests.agent.person import Person
from tests.agent.running import PATIENCE, AgentProcess, Plant, short_folder, site_text, wait

COMMANDS = ("run", "check", "terminal", "status", "journal", "labels", "scanner-test", "demo", "devices")
BAD_SITE = (
    '[site]\nname = "X"\nagent = "NOT SMALL"\ncolour = "red"\n[[terminals]]\nid = "T1"\nequipment = "NONE"\n'
)


class Told(NamedTuple):
    """What a command left behind: its exit code and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def floorhand(*arguments: object) -> Told:
    """Run one command to its end; an exception that gets out of it fails the test."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = main([str(each) for each in arguments])
    return Told(code, out.getvalue(), err.getvalue())


def program(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The same as a process of its own."""
    command = [sys.executable, "-m", "edge_agent", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short folder of this module."""
    with short_folder() as made:
        yield made


@pytest.fixture
def bad_site(folder: Path) -> Path:
    """A site file with three mistakes."""
    path = folder / "bad.toml"
    path.write_text(BAD_SITE)
    return path


@pytest.fixture(scope="module")
def troubled(folder: Path) -> Iterator[AgentProcess]:
    """An agent whose scanner is not there."""
    agent = AgentProcess(folder, site_text(scanner=str(folder / "no-port")))
    try:
        agent.start()
        yield agent
    finally:
        agent.end()


def test_check_calls_a_good_file_good(plant: Plant) -> None:
    told = floorhand("check", plant.agent.file)
    assert (told.returncode, told.stderr) == (0, "")
    assert "good. Agent test-pc1: 90 terminals, 1 scanner, 1 connector." in told.stdout
    assert json.loads(floorhand("check", plant.agent.file, "--json").stdout) == {"problems": []}


def test_check_names_every_mistake_with_its_key(bad_site: Path) -> None:
    told = program("check", bad_site)
    assert (told.returncode, told.stdout) == (2, "")
    lines = told.stderr.splitlines()
    assert len(lines) == 3
    assert all(str(bad_site) in line for line in lines)
    for key in ("site.agent", "colour", "equipment"):
        assert any(key in line for line in lines), key


def test_check_names_an_address_with_another_scheme_beside_the_rest(folder: Path) -> None:
    site = folder / "address.toml"
    site.write_text(site_text(erp="ftp://127.0.0.1:1", more='colour = "red"\n'))
    told = program("check", site)
    assert told.returncode == 2
    assert "begins with no https:// or http://" in told.stderr
    assert "colour" in told.stderr


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_group_that_is_not_there_is_a_mistake_of_the_site_file(folder: Path, command: str) -> None:
    site = folder / "group.toml"
    own = f'[site]\nsocket = "{folder}/open/agent.sock"\n'
    site.write_text('[api]\ngroup = "no-such-group"\n' + site_text().replace("[site]\n", own))
    told = program(command, site)
    assert told.returncode == 2
    assert "api.group: there is no group 'no-such-group' on this PC: make it, or name another one" in told.stderr


def test_check_names_them_as_json_too(bad_site: Path) -> None:
    told = floorhand("check", "--json", bad_site)
    assert told.returncode == 2
    problems = json.loads(told.stdout)["problems"]
    assert len(problems) == 3
    assert {problem["file"] for problem in problems} == {str(bad_site)}


def test_run_does_not_start_half_on_a_bad_file(bad_site: Path, folder: Path) -> None:
    before = set(folder.iterdir())
    told = program("run", bad_site)
    assert (told.returncode, told.stdout) == (2, "")
    assert len(told.stderr.splitlines()) == 3
    assert set(folder.iterdir()) == before


def test_a_file_that_is_not_there_is_a_sentence(folder: Path) -> None:
    path = folder / "none.toml"
    for command in (("check", path), ("status", "--site", path), ("terminal", "--site", path)):
        told = floorhand(*command)
        assert told.returncode == 2
        assert "none.toml" in told.stderr


def test_status_of_an_agent_that_is_well(plant: Plant) -> None:
    wait(lambda: b'"state":"online"' in plant.get("/v1/devices"), "the scanner")
    told = floorhand("status", "--address", plant.agent.address)
    assert (told.returncode, told.stderr) == (0, "")
    for words in (
        "Agent test-pc1",
        "Connector erp: up",
        "Device scanner-1: online",
        "Machine PRESS-03: NO DATA",
    ):
        assert words in told.stdout
    document = json.loads(floorhand("status", "--address", plant.agent.address, "--json").stdout)
    assert document["health"]["ok"] is True
    assert [machine["id"] for machine in document["equipment"]] == ["PRESS-03"]


def test_status_of_an_agent_that_needs_a_person(troubled: AgentProcess) -> None:
    told = program("status", "--site", troubled.file)
    assert told.returncode == 1
    assert "! Device scanner-1: There is no port" in told.stdout


def test_whoever_has_read_enough_ends_a_command_without_a_word(plant: Plant) -> None:
    """As `floorhand ... | head` does: the reader is gone before the first line is written."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        command = [sys.executable, "-m", "edge_agent", "status", "--address", plant.agent.address]
        told = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, timeout=PATIENCE)
    assert (told.returncode, told.stderr) == (0, b"")


def test_commands_without_an_agent_say_how_to_start_one(folder: Path) -> None:
    told = floorhand("status", "--address", f"unix:{folder}/none.sock")
    assert (told.returncode, told.stdout) == (3, "")
    assert "floorhand run SITE.toml" in told.stderr


@pytest.mark.parametrize("address", ["agent.sock", "tcp:127.0.0.1:1", "unix:"])
@pytest.mark.parametrize("command", ["status", "journal"])
def test_an_address_that_is_none_is_a_sentence(
    command: str, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--address", address]) == 2
    assert "must be unix:/path" in capsys.readouterr().err


async def test_journal_prints_a_line_for_each_fact(plant: Plant, person: Person) -> None:
    await person.work_on()
    await person.type("11")
    printed = await asyncio.to_thread(lines, "journal", "--json", "--address", plant.agent.address)
    rows = [json.loads(line) for line in printed]
    assert next(row["kind"] for row in rows if row["terminal"] == person.terminal) == "SignedOn"
    assert rows[-1]["kind"] == "MaterialProduced"
    assert rows[-1]["body"]["quantity"] == "11"
    assert rows[-1]["terminal"] == person.terminal
    last = await asyncio.to_thread(lines, "journal", "--limit", "1", "--address", plant.agent.address)
    assert len(last) == 1
    for words in (person.terminal, "MaterialProduced", "J-204", "quantity=11"):
        assert words in last[0]


def lines(*arguments: str) -> list[str]:
    """What a command prints when all is well."""
    told = floorhand(*arguments)
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout.splitlines()


def test_labels_are_a_page_that_needs_nothing_from_elsewhere(plant: Plant, folder: Path) -> None:
    out = folder / "labels.html"
    told = floorhand("labels", "--address", plant.agent.address, "--out", out)
    assert (told.returncode, told.stderr) == (0, "")
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == page.count('<div class="l">') > 80
    for text in ("J:J-201.", "L:A-01-1.", "C:CONFIRM.", "R:SCRAP-1.", "H:TOTE-1."):
        assert text in page
    assert "B:" not in page.replace("]B:", ""), "a badge is handed out by whoever knows the person"
    assert "http" not in page
    assert "<script" not in page


def test_labels_that_can_not_be_written_are_a_sentence(plant: Plant, folder: Path) -> None:
    told = floorhand("labels", "--address", plant.agent.address, "--out", folder / "none" / "labels.html")
    assert told.returncode == 1
    assert "labels.html" in told.stderr


def test_a_terminal_that_the_site_does_not_have_is_a_sentence(plant: Plant) -> None:
    told = floorhand("terminal", "--site", plant.agent.file, "--terminal", "T99")
    assert told.returncode == 2
    assert "There is no terminal T99" in told.stderr
    assert "T1, T2" in told.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(command, "--help") == 0
    assert capsys.readouterr().out.startswith(f"usage: floorhand {command}")


def test_the_help_names_every_command_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--help") == 0
    told = capsys.readouterr().out
    assert all(command in told for command in COMMANDS)
    assert "Exit codes: 0" in told


@pytest.mark.parametrize(
    "wrong", [[], ["nothing"], ["run"], ["journal", "--limit", "all"], ["status", "--wrong"]]
)
def test_a_wrong_command_line_is_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(*wrong) == 2
    assert "usage: floorhand" in capsys.readouterr().err


def ended(*arguments: str) -> Any:
    """The exit code of a command line that argparse answers."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return end.value.code


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_journal_of_no_lines_is_refused(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["journal", f"--limit={limit}"])
    assert ended.value.code == 2
    assert f"{limit} is not how many: a whole number of at least 1 was expected" in capsys.readouterr().err
