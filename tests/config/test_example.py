"""The example says every key there is, each where it belongs, and what it shows may stand there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

import config
from config.settings import Settings
from config.wording import extra, members, unwrap
from docs.generate import ROOT
from edge_agent.__main__ import main
from edge_agent.site import option_types

TEXT = (ROOT / "config" / "site.example.toml").read_text(encoding="utf-8")
LINES = TEXT.splitlines()
_HEADER = re.compile(r"(?:# )?\[{1,2}([a-z_.]+)\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"(?:# )?([A-Za-z_]+) = ")
_POINT = re.compile(r"(?:#  )?\s+\{ name = .*\},(?:\s+#.*)?$")


def _said() -> set[str]:
    """Every key of the example, with the table that it stands in: `policies.keep_days`, `modbus.points.bit`."""
    said, table, driver = set(), "", ""
    for row in LINES:
        if header := _HEADER.match(row):
            table = header[1]
            said.add(table)
            driver = "" if "." not in table else driver
            continue
        where = driver if table.endswith(".options") else table
        if _POINT.match(row):
            said |= {f"{where}.points.{key}" for key in re.findall(r"[{,] ([a-z_]+) = ", row)}
        elif key := _KEY.match(row):
            said.add(f"{where}.{key[1]}")
            if key[1] == "driver":
                driver = row.split('"')[1]
            if key[1] == "serial":
                said |= {f"{where}.serial.{inner}" for inner in re.findall(r"[{,] ([a-z_]+) = ", row)}
    return said


def _keys(kind: Any, place: str) -> set[str]:
    """Every key that a type takes, with those of the tables in it."""
    found: set[str] = set()
    for field in msgspec.structs.fields(kind):
        key = f"{place}.{field.encode_name}".removeprefix(".")
        base, metas = unwrap(field.type)
        inner = [part for each in members(base) for part in _tables(each)]
        if inner:
            found |= _keys(inner[0], key)
        elif extra(metas, "options") is None:
            found.add(key)
    return found


def _tables(wanted: Any) -> list[type]:
    base, _ = unwrap(wanted)
    parts = [base, *(part for each in getattr(base, "__args__", ()) for part in (unwrap(each)[0],))]
    return [part for part in parts if isinstance(part, type) and issubclass(part, msgspec.Struct)]


def _wanted() -> set[str]:
    types, found = option_types(), _keys(Settings, "")
    for whose in ("driver", "connector"):
        for name in types.names(whose):
            found |= _keys(types.find(whose, name), name)
    return found


def test_every_key_stands_in_the_example_where_it_belongs() -> None:
    wanted = _wanted()
    assert {"policies.keep_days_full", "modbus.serial.parity", "opcua.points.field", "rest.ca_file"} <= wanted
    assert wanted - _said() == set()


def test_every_key_behind_a_sign_is_explained() -> None:
    bare = [row for row in LINES if re.match(r"# (journal|short|keep|pin|four|max_|cycle|state_within)", row)]
    assert bare
    assert [row for row in bare if " # " not in row[2:]] == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where somebody copied the example to, with its secret."""
    (tmp_path / "secrets").mkdir()
    for name in ("erp-token", "mill7", "pc.key"):
        token = tmp_path / "secrets" / name
        token.touch(mode=0o600)
        token.write_text("s3cret\n")
    shutil.copy(ROOT / "config" / "site.example.toml", tmp_path / "site.toml")
    return tmp_path


def test_check_has_nothing_to_say_about_the_example(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "site.toml")]) == 0
    assert "good." in (told := capsys.readouterr().out)
    assert "look:" not in told


def test_without_its_secret_check_says_how_to_make_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "secrets" / "erp-token").unlink()
    assert main(["check", str(folder / "site.toml")]) == 2
    said = capsys.readouterr()
    assert f"install -m 600 /dev/null {folder}/secrets/erp-token" in " ".join((said.out + said.err).split())
    assert "It is checked with the secrets in place" in LINES[2]


# What does not go alone: it goes with another key, or needs a point that this machine does not have.
_TOGETHER = {
    "transport", "serial", "password_file", "prefix", "mode", "state_within", "client_cert", "client_key", "ca_file",
    "count_modulus", "scrap_count",
}  # fmt: skip


def _optional() -> list[int]:
    """The lines with one key behind a sign, outside of tables that are behind one themselves."""
    found, within = [], False
    for number, row in enumerate(LINES):
        within = row.startswith("#") and (within or row.startswith("# ["))
        if not within and (key := re.match(r"# ([a-z_]+) = ", row)) and key[1] not in _TOGETHER:
            found.append(number)
    return found


def _blocks() -> list[tuple[int, int]]:
    """First and last line (excluded) of the entries behind a sign."""
    starts = [number for number, row in enumerate(LINES) if row.startswith("# [[")]
    return [(start, next(n for n in range(start, len(LINES)) if not LINES[n].startswith("#"))) for start in starts]


def _read(folder: Path, rows: list[str]) -> Settings:
    return config.parse("\n".join(rows), file="site.toml", folder=folder, options=option_types())


@pytest.mark.parametrize("number", _optional(), ids=lambda number: f"{number + 1} {LINES[number].split()[1]}")
def test_what_stands_behind_a_sign_may_stand_without_it(folder: Path, number: int) -> None:
    _read(folder, [row.removeprefix("# ") if at == number else row for at, row in enumerate(LINES)])


@pytest.mark.parametrize("block", _blocks(), ids=str)
def test_an_entry_behind_a_sign_may_stand_without_it(folder: Path, block: tuple[int, int]) -> None:
    _read(folder, [row[2:] if block[0] <= at < block[1] else row for at, row in enumerate(LINES)])


@pytest.mark.parametrize(("kind", "count"), [("address = ", 5), ("nsu=", 2)], ids=["modbus", "opcua"])
def test_the_points_behind_a_sign_may_stand_without_it(folder: Path, kind: str, count: int) -> None:
    shown = [number for number, row in enumerate(LINES) if row.startswith("#   {") and kind in row]
    assert len(shown) == count
    more = [LINES[number].removeprefix("#") for number in shown]
    if count == 5:  # what one of them is multiplied by
        more.append('    { name = "energy_factor", address = 46, type = "int16" },')
    first = shown[-1] + 2
    assert LINES[first - 1].startswith("points = [")
    rows = [*LINES[:first], *more, *LINES[first:]]
    _read(folder, [row.removeprefix("# ") if row.startswith("# groups") else row for row in rows])


def test_what_counts_when_a_key_is_left_out_is_what_stands_behind_the_sign(folder: Path) -> None:
    """Of the tables that everybody has: reading it changes nothing."""
    settings, seen = _read(folder, LINES), 0
    for number in _optional():
        key = LINES[number].split()[1]
        if any(hasattr(table, key) for table in (settings.site, settings.policies, settings.connectors[0])):
            rows = [row.removeprefix("# ") if at == number else row for at, row in enumerate(LINES)]
            assert _read(folder, rows) == settings, key
            seen += 1
    assert seen == 10
