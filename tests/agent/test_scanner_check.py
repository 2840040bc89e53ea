"""`floorhand scanner-test` against simulated scanners: what it prints, writes and answers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from device_drivers.scanners.options import ScannerOptions
from device_drivers.simulators.process import Simulator
from edge_agent.__main__ import main
from edge_agent.site import load_site
from tests.agent.running import PATIENCE

SITE = '[site]\nname = "Test"\nagent = "test"\n\n[[terminals]]\nid = "T1"\n\n'


class Told(NamedTuple):
    """What the command left behind."""

    code: int
    out: str
    err: str


@contextmanager
def scanner(folder: Path, *more: str) -> Iterator[str]:
    """A simulated scanner behind a serial server; its HOST:PORT."""
    arguments = ("--listen", "0", "--feed", str(folder / "feed"), *more)
    with Simulator.start("scanner", *arguments) as running:
        yield f"127.0.0.1:{running.ready['port']}"


def checked(folder: Path, port: str, scans: Sequence[bytes], *more: str) -> Told:
    """Run the command as a process; scan each of these once it asks for it."""
    command = [sys.executable, "-m", "edge_agent", "scanner-test", port, "--patience", "10"]
    process = subprocess.Popen(
        [*command, "--scans", str(len(scans) or 1), *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}, text=True,
    )  # fmt: skip
    assert process.stdout
    out = ""
    for number, line in enumerate(scans):
        wanted = "Listening" if number == 0 else f"{number}: "
        while wanted not in out.rpartition("\n")[0]:
            read = process.stdout.readline()
            if not read:
                break
            out += read
        with (folder / "feed").open("wb", buffering=0) as feed:
            feed.write(line + b"\n")
    rest, err = process.communicate(timeout=PATIENCE)
    return Told(process.returncode, out + rest, err)


def written(path: Path) -> ScannerOptions:
    """The options of the scanner in a site file that is made of what was written."""
    site = path.parent / "site.toml"
    site.write_text(SITE + path.read_text("utf-8"), encoding="utf-8")
    options: ScannerOptions = load_site(site).scanners[0].options
    return options


def test_a_scanner_that_is_set_well(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    with scanner(tmp_path, "--host-ack", "--heard", str(heard)) as port:
        told = checked(
            tmp_path, port, [rb"]C110A1\x1d217"] * 3, "--profile", "honeywell", "--out", str(tmp_path / "new.toml")
        )
    assert (told.code, told.err) == (0, "")
    assert "3: ]C110A1<GS>217<CR>" in told.out
    assert "Prefix none, suffix <CR>, AIM ]C1" in told.out
    assert heard.read_bytes() == b"\\x1b7,\n" * 3
    options = written(tmp_path / "new.toml")
    assert (options.profile, options.mode, options.aim) == ("honeywell", "auto", True)


def test_a_scanner_with_an_odd_prefix_and_a_lost_fnc1(tmp_path: Path) -> None:
    with scanner(tmp_path) as port:
        told = checked(tmp_path, port, [rb'\x01"10A1217\t'] * 2, "--out", str(tmp_path / "new.toml"))
    assert told.code == 1
    assert 'Prefix <01>", suffix <TAB><CR>, AIM off' in told.out
    assert "! FNC1 is lost" in told.out
    assert "! AIM identifiers are off" in told.out
    options = written(tmp_path / "new.toml")
    assert (options.mode, options.prefix, options.suffix, options.aim) == ("affix", '\x01"', "\t\r", None)


def test_a_scanner_without_a_suffix_gets_no_options(tmp_path: Path) -> None:
    with scanner(tmp_path) as port:
        told = checked(tmp_path, port, [rb"]C110A1\x1d217\c"], "--out", str(tmp_path / "new.toml"))
    assert told.code == 1
    assert "! Nothing ends a scan" in told.out
    assert not (tmp_path / "new.toml").exists()


def test_another_label_than_the_one_that_was_asked_for(tmp_path: Path) -> None:
    with scanner(tmp_path) as port:
        told = checked(tmp_path, port, [b"4006381333931"])
        assert told.code == 1
        assert "Scan 1 does not hold the text of the label" in told.err
        assert checked(tmp_path, port, [b"4006381333931"], "--known", "4006381333931").code == 1  # no AIM
        assert checked(tmp_path, port, [b"]E04006381333931"], "--known", "4006381333931").code == 0


def test_a_scanner_that_goes_while_it_is_tested(tmp_path: Path) -> None:
    with scanner(tmp_path) as port:
        told = checked(tmp_path, port, [rb"\:unplug"])
    assert told.code == 1
    assert "closed the connection" in told.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["/dev/no-such-port"], 1, "There is no port /dev/no-such-port"),
        (["127.0.0.1:1"], 1, "No serial server takes a connection"),
        (["/dev/x", "--profile", "acme"], 2, "there are: datalogic, generic, honeywell, zebra"),
        (["/dev/x", "--baudrate", "1"], 2, "`int` >= 50"),
        (["/dev/x", "--known", "ä"], 2, "Only printable ASCII"),
    ],
)
def test_what_can_not_be_tested_is_a_sentence(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scanner-test", *arguments]) == code
    assert words in capsys.readouterr().err


def test_nobody_scans(tmp_path: Path) -> None:
    with scanner(tmp_path) as port:
        told = checked(tmp_path, port, [], "--patience", "0.1")
    assert told.code == 1
    assert "Nothing was read" in told.err
