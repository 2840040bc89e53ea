"""The units of systemd: hardened as far as an agent can be, and watched."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.optional import need
from tests.support.systemd import said

PACKAGING = Path(__file__).parents[2] / "packaging"
UNITS = sorted(PACKAGING.glob("*.service"))
MOST = 2.0  # of 10: what systemd calls OK begins below 5
SLOW_START = 3  # seconds: what an agent may take after a kill -9


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_exposes_no_more_than_it_must(unit: Path) -> None:
    command = [need("systemd-analyze"), "security", "--offline=true", "--no-pager", str(unit)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60)
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told.stdout)
    assert level is not None, told.stdout + told.stderr
    assert float(level.group(1)) <= MOST, told.stdout


def test_there_are_units_for_the_agent_and_for_a_terminal() -> None:
    assert [unit.name for unit in UNITS] == ["floorhand-agent.service", "floorhand-terminal@.service"]


def test_a_terminal_is_not_the_owner_of_the_agent() -> None:
    agent, terminal = said(PACKAGING / "floorhand-agent.service"), said(PACKAGING / "floorhand-terminal@.service")
    assert terminal["User"] not in (agent["User"], "root")
    assert terminal["Group"] != agent["Group"]
    assert "SupplementaryGroups" not in terminal
    assert terminal["Group"] in agent["SupplementaryGroups"].split(), "it gives its socket to that group"
    how_to = (PACKAGING.parent / "docs" / "how-to" / "install-as-a-service.md").read_text()
    assert f'group = "{terminal["Group"]}"' in how_to
    assert re.search(rf"useradd .*\b{terminal['User']}\n", how_to)
    assert re.search(rf"useradd .*--groups \S*{terminal['Group']} {agent['User']}\n", how_to)


def test_the_agent_may_give_its_socket_away_and_listens_on_no_port_that_nobody_named() -> None:
    text = (PACKAGING / "floorhand-agent.service").read_text()
    filters = re.findall(r"^SystemCallFilter=(.*)$", text, re.MULTILINE)
    assert filters.index("@chown") > next(n for n, each in enumerate(filters) if "@privileged" in each)
    assert said(PACKAGING / "floorhand-agent.service")["SocketBindDeny"] == "any"
    how_to = (PACKAGING.parent / "docs" / "how-to" / "install-as-a-service.md").read_text()
    assert "SocketBindAllow=ipv4:tcp:" in how_to



def test_the_agent_is_watched_and_its_secrets_are_credentials() -> None:
    told = said(PACKAGING / "floorhand-agent.service")
    assert told["Type"] == "notify"
    assert told["LoadCredential"].startswith("erp-token:")


def test_an_agent_that_hangs_serves_again_within_30_seconds() -> None:
    """The longest way there is: just fed when it hangs, deaf to SIGABRT, and a slow start behind it."""
    told = said(PACKAGING / "floorhand-agent.service")
    assert (told["Restart"], told["StartLimitIntervalSec"]) == ("always", "0"), "again, however often"
    away = sum(int(told[name]) for name in ("WatchdogSec", "TimeoutAbortSec", "RestartSec"))
    assert away + SLOW_START <= 30
