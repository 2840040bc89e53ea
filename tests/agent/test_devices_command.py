"""`floorhand devices`: what a person does with one device from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from device_drivers.opcua.certificate import own
from device_drivers.opcua.trust import TrustFolder
from edge_agent.__main__ import main
from tests.support.manual_clock import START

ENDPOINT = "opc.tcp://192.0.2.20:4840"
SITE = f"""
[site]
name = "Plant"
agent = "pc"
[[terminals]]
id = "T1"
[[devices]]
name = "mill7"
driver = "opcua"
options = {{ endpoint = "{ENDPOINT}", certificates = "pki", points = [{{ name = "x", node = "i=2261" }}] }}
[[devices]]
name = "press3"
driver = "modbus"
options = {{ host = "192.0.2.10", points = [{{ name = "x", address = 0 }}] }}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site file with a device that has certificates and one that knows none."""
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    return path


def trust(device: str, site: Path) -> int:
    """The exit code."""
    return main(["devices", "trust", device, "--site", str(site)])


def test_trust_moves_the_certificate_that_was_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = TrustFolder(site.parent / "pki")
    shown = own(TrustFolder(site.parent / "server"), START).certificate.read_bytes()
    folder.prepare()
    folder.reject(ENDPOINT, shown)
    assert trust("mill7", site) == 0
    assert "Trusted from now on: Floorhand on" in capsys.readouterr().out
    assert folder.trusts(shown)


@pytest.mark.parametrize(
    ("device", "code", "words"),
    [
        ("mill7", 1, "No certificate of opc.tcp://192.0.2.20:4840 waits in"),
        ("press3", 2, "press3 speaks modbus, which knows no certificates."),
        ("mill8", 2, "There is no device mill8 in"),
    ],
)
def test_what_can_not_be_trusted_is_told(
    site: Path, capsys: pytest.CaptureFixture[str], device: str, code: int, words: str
) -> None:
    assert trust(device, site) == code
    assert words in capsys.readouterr().err


def test_a_site_file_that_is_wrong_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trust("mill7", tmp_path / "gone.toml") == 2
    assert "can not be read" in capsys.readouterr().err
