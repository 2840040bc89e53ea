"""What the documentation says is there, and what is there is said."""

from __future__ import annotations

import argparse
import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

import config
from edge_agent.command_line.parser import parser
from edge_agent.site import build_connectors, load_site
from sync.contract import AnyPlan, PlanPage
from sync.wire import FactsRequest, ReceiptsReply
from terminal_ui.keys import ACTIONS, GUIDE_ACTIONS
from tests.agent.running import short_folder
from tests.docs.markdown import ROOT, Block, anchors, blocks, links, pages
from tests.docs.terminal_on_pty import plain

PAGES = [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in pages()]
HOW_TOS = [pytest.param(path, id=path.stem) for path in sorted((ROOT / "docs" / "how-to").glob("*.md"))]

# Who may be named: standards, names that the standards keep for examples, and this PC.
HOSTS = (
    "keepachangelog.com",
    "semver.org",
    "www.w3.org",
    "opcfoundation.org",
    "erp.example.com",
    "127.0.0.1",
    "localhost",
    "agent",
)
ADDRESS = re.compile(r"\b(?:https?|opc\.tcp)://[^\s)\"'`>|]*")
NUMBERED = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
OF_EXAMPLES = ("192.0.2.", "198.51.100.", "203.0.113.", "127.0.0.1")  # RFC 5737
SPOKEN = {"Plans": list[AnyPlan], "FactsRequest": FactsRequest, "ReceiptsReply": ReceiptsReply, "PlanPage": PlanPage}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = [link for link in links(page) if not urlsplit(link).scheme and not leads(page, link)]
    assert lost == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_machine_or_a_host_of_somebody(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    paths = re.findall("/" + r"(?:work|root|home|Users)/\S*", text)
    hosts = [
        host for found in ADDRESS.findall(text) if (host := urlsplit(found).hostname) and host not in HOSTS
    ]
    numbers = [each for each in NUMBERED.findall(text) if not each.startswith(OF_EXAMPLES)]
    outside = [host for host in hosts if not host.startswith(OF_EXAMPLES)]
    assert (paths, outside, numbers) == ([], [], [])


def test_every_page_is_reached_from_the_first_one() -> None:
    seen, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in seen:
            seen.add(page)
            found = (leads(page, link) for link in links(page) if not urlsplit(link).scheme)
            ahead += [path for path in found if path is not None and path.suffix == ".md"]
    assert [path.name for path in pages() if path not in seen] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_in_a_page_is_one(page: Path) -> None:
    for block in blocks(page):
        for line in block.lines if block.kind == "sh" else ():
            assert is_command(line), f"{page.name}:{block.line}: {line}"


def test_every_command_and_every_option_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    for name, command in commands().items():
        assert f"## `floorhand {name}`" in page
        options = {option for action in command._actions for option in action.option_strings} - {
            "-h",
            "--help",
        }
        assert [option for option in sorted(options) if option not in page] == []


def test_every_action_and_its_keys_are_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "keys.md").read_text(encoding="utf-8")
    for row in ACTIONS:
        assert f"| `{row.name}` |" in page
    for row in (*ACTIONS, *GUIDE_ACTIONS):
        assert all(("Esc" if key == "escape" else key.upper()) in page for key in row.keys)


@pytest.mark.parametrize("page", HOW_TOS)
def test_the_site_file_of_a_how_to_is_good(page: Path) -> None:
    """All TOML of a page, one after the other, is one site file."""
    text = "\n".join(block.text for block in blocks(page) if block.kind == "toml")
    if not text:
        pages = ("print-labels", "export-values", "look-at-machines", "back-up-and-restore", "install-as-a-service")
        assert page.stem in pages
        return
    with short_folder() as folder:
        token = folder / "books" / "token"  # a secret must be there, for its owner only
        token.parent.mkdir()
        token.touch(0o600)
        token.write_text("my-secret-token\n", encoding="ascii")
        file = folder / "site.toml"
        file.write_text(text, encoding="utf-8")
        settings = load_site(file)
        build_connectors(settings, file)
    assert settings.site.agent == "hall2-pc1"


def test_a_mistake_in_a_how_to_would_be_found(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    first = next(
        block for block in blocks(ROOT / "docs" / "how-to" / "first-scanner.md") if block.kind == "toml"
    )
    file.write_text(first.text.replace("terminal =", "terminals ="), encoding="utf-8")
    with pytest.raises(config.ConfigError, match="terminals"):
        load_site(file)


@pytest.mark.parametrize("page", HOW_TOS)
def test_what_crosses_the_wire_is_of_the_contract(page: Path) -> None:
    for block in blocks(page):
        if block.kind == "json":
            msgspec.json.decode(block.text, type=SPOKEN[block.more])


@pytest.mark.parametrize("page", HOW_TOS)
def test_what_python_answers_in_a_how_to_is_what_it_answers(page: Path) -> None:
    told = list(blocks(page))
    for asked, said in itertools.pairwise(told):
        if asked.kind == "sh" and said.kind == "output" and " -c " in asked.text:
            assert answer(asked) == said.text.strip()


def test_the_readme_names_the_two_commands_and_the_build_server_runs_the_second() -> None:
    shown = [block.text.strip() for block in blocks(ROOT / "README.md") if block.kind == "sh"]
    assert shown == ["make demo", "make test"]
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == "make test"


@pytest.mark.parametrize(("name", "words"), [("work", "NOT NOW"), ("pick", "Wrong item: MOTOR-075.")])
def test_the_pictures_of_the_readme_need_nothing_from_elsewhere(name: str, words: str) -> None:
    svg = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
    assert words in svg
    assert not re.search(r"url\(|@font-face|href|<script|<image", svg)
    assert f"docs/pictures/{name}.svg" in links(ROOT / "README.md")


def test_every_decision_is_listed_and_has_its_three_parts() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(folder.glob("[0-9]*.md"))
    assert [path.name for path in records] == sorted(link for link in links(folder / "README.md"))
    assert len({path.name[:4] for path in records}) == len(records)
    for path in records:
        heading, *rest = path.read_text(encoding="utf-8").splitlines()
        assert heading.startswith(f"# {int(path.name[:4])}. ")
        assert [line for line in rest if line.startswith("## ")] == [
            "## Context",
            "## Decision",
            "## Consequences",
        ]
        assert len(rest) < 60


def leads(page: Path, link: str) -> Path | None:
    """The file that a relative link means, if it is there and has the heading."""
    name, _, anchor = link.partition("#")
    path = (page.parent / name).resolve() if name else page
    return path if path.exists() and (not anchor or anchor in anchors(path)) else None


def commands() -> dict[str, argparse.ArgumentParser]:
    """The commands of the parser by name; of one that has verbs, the verbs."""
    told: dict[str, argparse.ArgumentParser] = {}
    for name, command in verbs_of(parser()).items():
        inner = {f"{name} {verb}": each for verb, each in verbs_of(command).items()}
        told |= inner or {name: command}
    return told


def verbs_of(command: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """What may stand behind a command; empty when it has no verbs."""
    found = (each for each in command._actions if isinstance(each, argparse._SubParsersAction))
    return next((dict(each.choices) for each in found), {})


def is_command(line: str) -> bool:
    """Whether a line of a shell block works as far as it can be seen without doing it."""
    words = shlex.split(line, comments=True)
    match words[0].rpartition("/")[2], words[1:]:
        case "make", [target]:
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            return re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE) is not None
        case "floorhand", arguments:
            try:
                parser().parse_args(arguments)
            except SystemExit:
                return False
            return True
        case "python", ["-m", "pytest", *asked]:
            return all((ROOT / each).exists() for each in asked if each.startswith("tests"))
        case "python", ["-m", module, *_]:
            return (ROOT / (module.replace(".", "/") + ".py")).exists()
        case name, _:
            return name in ("python", "echo", "kill", "grep", "ls", "sudo", "mkdir", "chmod", "curl")


def answer(asked: Block) -> str:
    """What a line of Python in a shell block prints."""
    words = shlex.split(asked.text)
    assert words[:2] == [".venv/bin/python", "-c"]
    done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
    return plain(done.stdout)


@pytest.mark.parametrize(
    "line",
    [
        "floorhand fly site.toml", "make coffee", "floorhand status --sight x", "python -m pytest tests/nowhere",
        "rm -rf /",
    ],
)
def test_the_rule_on_commands_knows_what_is_none(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not is_command(line)
