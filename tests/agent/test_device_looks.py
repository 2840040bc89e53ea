"""`floorhand devices` against simulated machines in processes of their own."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config import UnitState
from config.machine_maps import SHIPPED
from device_drivers.simulators.process import Simulator
from tests.agent.running import short_folder
from tests.agent.test_cli import Told, floorhand, program

SITE = '[site]\nname = "P"\nagent = "a"\n[[terminals]]\nid = "T1"\n'
MACHINING_CENTRE = "nsu=urn:floorhand:machining-centre;s=MachiningCentre"
NODES = ("State", "GoodCount", "StateName", "OilLevel")


@pytest.fixture(scope="module")
def press() -> Iterator[int]:
    """The port of a simulated press."""
    with Simulator.start("modbus_machine", "--begin", "600") as machine:
        yield machine.ready["port"]


@pytest.fixture(scope="module")
def centre() -> Iterator[str]:
    """The endpoint of a simulated machining centre."""
    with Simulator.start("opcua_machine", "--begin", "600") as machine:
        yield machine.ready["endpoint"]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with room for a socket."""
    with short_folder() as made:
        yield made


@pytest.fixture(scope="module")
def site(folder: Path, press: int, centre: str) -> Path:
    """A site with the press by its map, the machining centre by its nodes, and a press that is not there."""
    points = [f'{{ name = "{name}", node = "{MACHINING_CENTRE}.{name}" }}' for name in NODES]
    text = (
        SITE
        + f"""
[[devices]]
name = "press"
map = "generic_plc"
options = {{ host = "127.0.0.1", port = {press} }}
[[devices]]
name = "odd"
driver = "modbus"
[devices.options]
host = "127.0.0.1"
port = {press}
points = [
    {{ name = "oil", address = 12, type = "int16", not_available = -32768 }},
    {{ name = "name", address = 16, type = "string", length = 8 }},
    {{ name = "running", table = "discrete", address = 0 }},
    {{ name = "beyond", address = 60000 }},
]
[[devices]]
name = "centre"
driver = "opcua"
options = {{ endpoint = "{centre}", insecure = true, points = [{", ".join(points)}] }}
[[devices]]
name = "gone"
map = "generic_plc"
options = {{ host = "127.0.0.1", port = {closed_port()} }}
[[equipment]]
id = "PRESS-03"
device = "press"
"""
    )
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def read(site: Path, device: str) -> tuple[int, dict[str, Any]]:
    told = floorhand("devices", "read", device, "--site", site, "--json")
    assert told.stderr == ""
    return told.returncode, json.loads(told.stdout)


def test_read_tells_each_point_with_what_was_sent_for_it(site: Path) -> None:
    code, told = read(site, "press")
    assert (code, told["driver"], told["error"]) == (0, "modbus", None)
    points = {point["name"]: point for point in told["points"]}
    assert list(points) == [
        "state",
        "mode",
        "good_count",
        "scrap_count",
        "alarm",
        "temperature",
        "cycle_time",
    ]
    assert {point["status"] for point in points.values()} == {"Good"}
    high, low = points["good_count"]["raw"]
    assert high * 65_536 + low == points["good_count"]["value"] > 0
    assert points["state"]["raw"] == [points["state"]["value"]]
    assert points["state"]["source_time"].endswith("Z")
    assert points["state"]["word"] in set(UnitState)
    assert points["mode"]["word"] == "PRODUCTION"
    assert (points["good_count"]["word"], points["temperature"]["unit"]) == ("", "°C")
    assert told["answered_ms"] >= 0


def test_read_prints_a_table_for_people(site: Path) -> None:
    told = floorhand("devices", "read", "press", "--site", site)
    assert (told.returncode, told.stderr) == (0, "")
    head, *rows = told.stdout.splitlines()
    assert head.split() == ["name", "value", "unit", "word", "status", "source_time", "raw"]
    assert [row.split()[0] for row in rows][:3] == ["state", "mode", "good_count"]


def test_a_point_without_a_value_is_told_with_what_the_device_sent(site: Path) -> None:
    code, told = read(site, "odd")
    points = {point["name"]: point for point in told["points"]}
    assert code == 1
    assert (points["oil"]["value"], points["oil"]["status"], points["oil"]["raw"]) == (None, "Bad", [0x8000])
    assert points["oil"]["reason"].startswith("The device answers, but these numbers mean no value")
    assert points["name"]["reason"] == ""
    assert points["name"]["value"] == "FH-PRESS-250"
    assert points["running"]["raw"] == [points["running"]["value"]]


def test_test_says_in_words_what_works_and_what_does_not(site: Path) -> None:
    told = floorhand("devices", "test", "press", "--site", site)
    assert (told.returncode, told.stderr) == (0, "")
    lines = told.stdout.splitlines()
    assert lines[0].startswith("press: modbus at 127.0.0.1:")
    assert re.match(r"It answers: the first values came after \d+ ms\.", lines[1])
    assert re.search(r"^  OK  good_count   +\d+ .*sent [0-9A-F]{4} [0-9A-F]{4}  address 2$", told.stdout, re.MULTILINE)
    assert "7 of 7 points have a value." in lines
    assert re.fullmatch(r"PRESS-03: [A-Z]+ \(the machine says '\d+'\), mode [A-Z]+, count \d+.*\.", lines[-1])


def test_test_says_for_a_bad_point_what_to_check(site: Path) -> None:
    odd = floorhand("devices", "test", "odd", "--site", site)
    lines = odd.stdout.splitlines()
    assert odd.returncode == 1
    assert "2 of 4 points have a value." in lines
    assert "BAD [1] oil no value sent 8000 address 12" in [" ".join(line.split()) for line in lines]
    assert "BAD [2] beyond no value address 60000" in [" ".join(line.split()) for line in lines]
    assert [line[:60] for line in lines if line.startswith("[")] == [
        "[1] The device answers, but these numbers mean no value: its",
        "[2] The device refuses this address. Compare table, address ",
    ]


def test_a_lost_device_reads_bad_with_the_reason_and_not_nothing(site: Path) -> None:
    code, told = read(site, "gone")
    assert (code, {point["status"] for point in told["points"]}) == (1, {"Bad"})
    assert {point["reason"] for point in told["points"]} == {told["error"]["text"]}
    printed = floorhand("devices", "read", "gone", "--site", site)
    assert all(" Bad " in row for row in printed.stdout.splitlines()[1:])
    assert printed.stderr.count("Nobody answers at 127.0.0.1") == 1


@pytest.mark.parametrize("verb", ["read", "test", "browse"])
def test_a_device_that_is_not_there_is_1_and_a_sentence(site: Path, verb: str) -> None:
    told = floorhand("devices", verb, "gone", "--site", site)
    assert told.returncode == 1
    assert "Nobody answers at 127.0.0.1" in told.stderr or "Can not connect" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("verb", ["read", "test", "browse"])
def test_a_name_that_is_none_is_2_and_names_those_there_are(site: Path, verb: str) -> None:
    told = floorhand("devices", verb, "pres", "--site", site)
    assert told.returncode == 2
    assert "There is no device pres" in told.stderr
    assert "press, odd, centre, gone" in told.stderr


def test_a_wrong_site_file_is_2(folder: Path) -> None:
    wrong = folder / "wrong.toml"
    wrong.write_text(SITE + '[[devices]]\nname = "d"\nmap = "packml"\n', encoding="utf-8")
    told = floorhand("devices", "read", "d", "--site", wrong)
    assert told.returncode == 2
    assert "did you mean packml_unit?" in told.stderr


def browsed(site: Path, *arguments: object) -> list[dict[str, Any]]:
    told = floorhand("devices", "browse", *arguments, "--site", site, "--json")
    assert (told.returncode, told.stderr) == (0, "")
    return [json.loads(line) for line in told.stdout.splitlines()]


def test_browse_shows_the_registers_of_every_table(site: Path) -> None:
    found = browsed(site, "press", "--from", "0", "--count", "100")
    holding = [one for one in found if 'table = "holding"' in one["place"]]
    assert [one["place"] for one in holding] == [f'table = "holding", address = {n}' for n in range(28)]
    assert all(one["status"] == "Good" for one in found)
    name = b"".join(int(one["value"]).to_bytes(2, "big") for one in holding[16:22])
    assert name == b"FH-PRESS-250"
    assert any('table = "discrete"' in one["place"] and one["kind"] == "bit" for one in found)


def test_browse_shows_only_what_was_asked_for(site: Path) -> None:
    found = browsed(site, "press", "--path", "holding", "--from", "16", "--count", "4")
    assert [one["place"] for one in found] == [f'table = "holding", address = {n}' for n in range(16, 20)]


def test_browse_says_where_to_look_on(site: Path) -> None:
    told = floorhand("devices", "browse", "centre", "--path", MACHINING_CENTRE, "--count", "3", "--site", site)
    assert told.stdout.splitlines()[-1] == "There may be more: --from 3"
    assert "There may be more" not in floorhand("devices", "browse", "centre", "--site", site).stdout


def test_browse_finds_what_lies_beside_addresses_that_are_refused(site: Path) -> None:
    found = browsed(site, "press", "--path", "holding", "--from", "20", "--count", "10")
    assert [one["place"] for one in found] == [f'table = "holding", address = {n}' for n in range(20, 28)]
    nothing = floorhand("devices", "browse", "press", "--from", "500", "--count", "3", "--site", site)
    assert (nothing.returncode, nothing.stdout) == (0, "Nothing is there.\n")


def test_browse_of_a_table_that_does_not_exist_names_the_tables(site: Path) -> None:
    told = floorhand("devices", "browse", "press", "--path", "registers", "--site", site)
    assert told.returncode == 1
    assert "holding, input, coil, discrete" in told.stderr


def test_browse_walks_from_the_objects_to_the_nodes_that_a_point_names(site: Path) -> None:
    (machine,) = [one for one in browsed(site, "centre") if one["name"] == "MachiningCentre"]
    assert machine["place"] == f'node = "{MACHINING_CENTRE}"'
    assert (machine["kind"], machine["inside"], machine["status"]) == ("Object", True, None)
    inside = {one["name"]: one for one in browsed(site, "centre", "--path", MACHINING_CENTRE)}
    assert inside["GoodCount"]["place"] == f'node = "{MACHINING_CENTRE}.GoodCount"'
    assert inside["GoodCount"]["value"] > 0
    assert inside["Probe"]["status"] == "Bad"
    by_path = {one["name"]: one for one in browsed(site, "centre", "--path", "Objects")}
    path = by_path["MachiningCentre"]["place"].removeprefix('path = "').removesuffix('"')
    assert path == "Objects/nsu=urn:floorhand:machining-centre;MachiningCentre"
    counts = {one["name"]: one["place"] for one in browsed(site, "centre", "--path", path)}
    assert counts["GoodCount"] == f'path = "{path}/nsu=urn:floorhand:machining-centre;GoodCount"'
    part = browsed(site, "centre", "--path", MACHINING_CENTRE, "--from", "2", "--count", "3")
    assert [one["name"] for one in part] == list(inside)[2:5]


@pytest.mark.parametrize(
    "path", ["here", "nsu=urn:nobody;s=A", f"{MACHINING_CENTRE}.Nothing", "Objects/Nothing", "Objects/nsu=urn:no;A"]
)
def test_browse_of_a_node_that_is_not_there_is_a_sentence(site: Path, path: str) -> None:
    told = floorhand("devices", "browse", "centre", "--path", path, "--site", site)
    assert told.returncode == 1
    assert told.stderr.strip().endswith(".")
    assert "Traceback" not in told.stderr


def test_an_opc_ua_machine_says_what_it_is(site: Path) -> None:
    code, told = read(site, "centre")
    assert (code, told["driver"]) == (0, "opcua")
    assert {point["name"]: point["status"] for point in told["points"]}["OilLevel"] == "Uncertain"
    words = floorhand("devices", "test", "centre", "--site", site)
    assert words.returncode == 0
    assert "It says it is: " in words.stdout
    assert "Not secure" not in words.stdout, "it is on this PC: nobody else is between"
    assert re.search(r"^  UNCERTAIN  OilLevel +71\.5 ", words.stdout, re.MULTILINE)


def test_a_machine_that_is_not_the_one_of_its_map_is_told(folder: Path, press: int) -> None:
    """The simulated press holds its name where this map looks for another one."""
    (folder / "machine_maps").mkdir(exist_ok=True)
    text = (SHIPPED / "generic_plc.toml").read_text(encoding="utf-8").replace(
        "points = [", 'points = [\n    { name = "sign", address = 16, type = "string", length = 6 },', 1
    )  # fmt: skip
    for name, sign in (("other", "EP-250"), ("same", "FH-PRESS-250")):
        wanted = f'[expect]\nsign = ["{sign}"]\n\n[equipment]\n'
        made = text.replace("[equipment]\n", wanted, 1)
        (folder / "machine_maps" / f"{name}.toml").write_text(made, encoding="utf-8")
    site = folder / "misfit.toml"
    place = f'options = {{ host = "127.0.0.1", port = {press} }}\n'
    devices = [f'[[devices]]\nname = "{name}"\nmap = "{name}"\n{place}' for name in ("other", "same")]
    site.write_text(SITE + "".join(devices), encoding="utf-8")
    other = floorhand("devices", "test", "other", "--site", site)
    assert other.returncode == 1
    assert "The map does not fit: sign reads FH-PRESS-250, and not EP-250." in other.stdout
    assert floorhand("devices", "test", "same", "--site", site).returncode == 0


def test_a_node_that_the_server_does_not_have_is_told_by_its_name(site: Path, centre: str) -> None:
    points = f'{{ name = "state", node = "{MACHINING_CENTRE}.State" }}, {{ name = "heat", path = "Objects/Oven" }}'
    wrong = site.with_name("wrong-node.toml")
    options = f'{{ endpoint = "{centre}", insecure = true, points = [{points}] }}'
    wrong.write_text(SITE + f'[[devices]]\nname = "d"\ndriver = "opcua"\noptions = {options}\n', encoding="utf-8")
    told = floorhand("devices", "test", "d", "--site", wrong)
    assert told.returncode == 1
    assert "The server refuses 1 of 2 points: point 'heat': nothing is (BadNoMatch) at Objects/Oven." in told.stdout
    assert re.search(r"^  BAD \[1\]  heat +no value +Objects/Oven$", told.stdout, re.MULTILINE)


def test_a_running_agent_is_told(site: Path, folder: Path) -> None:
    (folder / "data").mkdir()
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(folder / "data" / "agent.sock"))
        agent.listen()
        told = floorhand("devices", "test", "press", "--site", site)
    (folder / "data" / "agent.sock").unlink()
    assert told.returncode == 0
    assert "The agent runs and has its own connection" in told.stderr


async def test_a_device_that_hangs_is_told_in_time(folder: Path) -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    hung = folder / "hung.toml"
    options = f'{{ host = "127.0.0.1", port = {port}, timeout = 0.2 }}'
    device = f'[[devices]]\nname = "d"\nmap = "generic_plc"\noptions = {options}\n'
    hung.write_text(SITE + device, encoding="utf-8")
    async with server:
        told: Told = await asyncio.to_thread(floorhand, "devices", "test", "d", "--site", hung)
    assert told.returncode == 1
    assert "does not answer within 0.2 s" in told.stderr


def test_it_is_a_program_that_ends_by_itself(site: Path) -> None:
    done = program("devices", "read", "press", "--site", site, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["points"][0]["status"] == "Good"
