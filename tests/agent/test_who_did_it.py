"""What takes a right says who did it, and what takes two people is not done by one through the API."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import pwd
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from edge_agent.client import AgentClient, InputRefused
from edge_agent.store.audit import Audit
from edge_agent.views import Kind
from sync import contract
from sync.exceptions import ExceptionDecided
from sync.person_facts import PinChanged
from tests.agent.person import Person, everything_sent
from tests.agent.running import AgentProcess, Plant, ask, plant_in, short_folder, site_text, until
from tests.agent.test_access import free_port
from tests.agent.test_kill import kept
from tests.support.manual_clock import START

LEAD, ADMIN = "1010", "1011"


def by_token(port: int, path: str, method: str = "POST") -> tuple[int, Any]:
    """A program with the token asks: it is nobody by itself."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", method=method, data=b"", headers={"authorization": "Bearer sesame"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


RARELY = "plan_interval = 60.0\n"  # so that the agent does not hear what the office did


@pytest.fixture(params=[RARELY, RARELY + 'four_eyes = ["resend", "correct"]\n'], ids=["one", "two"])
def site(request: pytest.FixtureRequest) -> Iterator[tuple[Plant, int, bool]]:
    """A plant with a port for programs; whether two people decide on sending again."""
    port = free_port()
    policies = f'pin_roles = ["admin"]\n{request.param}'
    with short_folder() as folder:
        (folder / "api-token").touch(mode=0o600)
        (folder / "api-token").write_text("sesame")
        more = f'[api]\nport = {port}\ntoken_file = "api-token"\n'
        with plant_in(folder, policies=policies, more=more) as plant:
            yield plant, port, "four_eyes" in request.param


async def refused(plant: Plant, client: AgentClient) -> int:
    """The seq of a report that the ERP does not want."""
    person = Person(client, "T1")
    await person.work_on("J-206")
    await asyncio.to_thread(plant.erp.call, "POST", "/v1/orders/J-206/close")
    await person.type("3")

    async def parked() -> bool:
        return bool((await client.health()).parked_count)

    await until(parked, "the refusal")
    rows = json.loads(await asyncio.to_thread(plant.get, "/v1/exceptions"))
    seq: int = rows[0]["seq"]
    return seq


def audited(plant: Plant) -> list[dict[str, Any]]:
    lines = (plant.agent.folder / "data" / "audit.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


async def test_a_decision_of_two_people_is_not_made_by_one_through_the_api(site: tuple[Plant, int, bool]) -> None:
    plant, port, two = site
    async with AgentClient(plant.agent.address) as client:
        seq = await refused(plant, client)
        person = Person(client, "T1")
        await person.do("sign_off")
        await person.scan(Kind.BADGE, LEAD)
        path = f"/v1/journal/{seq}/resend?terminal=T1"
        status, answer = await asyncio.to_thread(by_token, port, path)
        if two:
            assert (status, answer["code"]) == (403, "roles.two_people")
            status, _ = await asyncio.to_thread(ask, plant.agent.socket, "POST", f"/v1/journal/{seq}/resend")
        assert status == 200
        await everything_sent(client)
    (decided,) = [fact for fact in kept(plant.agent) if isinstance(fact.body, ExceptionDecided)]
    assert isinstance(decided.body, ExceptionDecided)
    me = pwd.getpwuid(os.geteuid()).pw_name
    who = ("", "", f"by the user {me} of the PC") if two else ("p10", "T1", "")
    assert (decided.person, decided.terminal, decided.body.note) == who
    (line,) = [each for each in audited(plant) if each["event"] == "resent"]
    assert (line.get("user"), line.get("person")) == ((me, None) if two else (None, "p10"))


@pytest.mark.parametrize("site", [""], indirect=True, ids=["one"])
async def test_start_codes_and_backups_say_who_gave_and_took_them(site: tuple[Plant, int, bool]) -> None:
    plant, port, _ = site
    me = pwd.getpwuid(os.geteuid()).pw_name
    async with AgentClient(plant.agent.address) as client:
        assert (await asyncio.to_thread(by_token, port, "/v1/persons/p11/pin?terminal=T1"))[0] == 403
        plant.erp.put(contract.Person(id="p11", name="Noor", badge=ADMIN, roles=("admin",)))

        async def given() -> str:
            with suppress(InputRefused):  # not known yet
                return (await client.start_code("p11")).code  # the owner begins
            return ""

        code = await until(given, "a start code")
        person = Person(client, "T1")
        await person.scan(Kind.BADGE, ADMIN)
        for digits in (code, "280571", "280571"):
            await person.type(digits)
        status, _ = await asyncio.to_thread(by_token, port, "/v1/persons/p11/pin?terminal=T1")
        assert status == 200
        await client.backup()
        status, made = await asyncio.to_thread(by_token, port, "/v1/backup?terminal=T1")
        assert status == 200, made
    codes = [fact for fact in kept(plant.agent) if isinstance(fact.body, PinChanged) and fact.body.start]
    assert [(fact.person, fact.terminal) for fact in codes] == [("", ""), ("p11", "T1")]
    lines = [(each["event"], each.get("user"), each.get("person"), each.get("terminal")) for each in audited(plant)]
    assert [each for each in lines if each[0] in ("start_code", "backup")] == [
        ("start_code", me, None, None), ("start_code", None, "p11", "T1"),
        ("backup", me, None, None), ("backup", None, "p11", "T1"),
    ]  # fmt: skip
    assert code not in plant.agent.log
    assert code not in (plant.agent.folder / "data" / "audit.jsonl").read_text()
    assert (plant.agent.folder / "data" / "audit.jsonl").stat().st_mode & 0o777 == 0o600


def test_an_audit_file_is_bounded_and_a_line_that_was_cut_harms_nobody(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    audit.note("site_file", START, hash="a")
    for _ in range(3):
        with (tmp_path / "audit.jsonl").open("a") as file:
            file.write("x" * 2**20 + "\n" + '{"event":"site_f')
        audit.note("backup", START, facts=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit-1.jsonl", "audit.jsonl"]
    assert audit.last("backup")["facts"] == 1
    assert audit.last("site_file") == {}, "it went with its file"


READS = {  # what a program with the token may read while nobody is signed on, and who must be for the rest
    "GET /v1/health": "", "GET /v1/equipment": "", "GET /v1/devices": "", "GET /v1/samples": "", "GET /v1/labels": "",
    "GET /v1/journal": LEAD, "GET /v1/exceptions": "1001", "POST /v1/devices/scanner-1/read": "1007",
}  # fmt: skip


@pytest.mark.parametrize("site", [RARELY], indirect=True, ids=["one"])
async def test_what_people_reported_and_traffic_to_devices_take_somebody_who_is_signed_on(
    site: tuple[Plant, int, bool],
) -> None:
    plant, port, _ = site
    async with AgentClient(plant.agent.address) as client:
        for asked, badge in READS.items():
            method, _, path = asked.partition(" ")

            async def answer(terminal: str = "?terminal=T1", method: str = method, path: str = path) -> int:
                return (await asyncio.to_thread(by_token, port, path + terminal, method))[0]

            if not badge:
                assert await answer("") == 200, asked
                continue
            assert (await answer(""), await answer()) == (404, 403), asked
            person = Person(client, "T1")
            if badge != "1001":
                await person.scan(Kind.BADGE, "1001")
                assert await answer() == 403, asked
                await person.do("sign_off")
            await person.scan(Kind.BADGE, badge)
            assert await answer() == (409 if "read" in path else 200), asked  # a scanner has no points
            await person.do("sign_off")
            status, _ = await asyncio.to_thread(ask, plant.agent.socket, method, path)
            assert status == (409 if "read" in path else 200), "the owner of the PC"


def test_a_site_file_that_changed_since_the_last_start_is_told_once() -> None:
    def told(agent: AgentProcess) -> list[dict[str, Any]]:
        lines = map(json.loads, (agent.folder / "data" / "audit.jsonl").read_text().splitlines())
        return [each for each in lines if each["event"] == "site_file"]

    with short_folder() as folder:
        agent = AgentProcess(folder, site_text())
        try:
            hashes = [hashlib.sha256(agent.file.read_bytes()).hexdigest()]
            for _ in range(2):
                agent.start()
                assert agent.stop() == 0
            assert [(each["hash"], each["before"]) for each in told(agent)] == [(hashes[0], "")]
            agent.file.write_text(site_text(policies="four_eyes = []\n"))
            hashes.append(hashlib.sha256(agent.file.read_bytes()).hexdigest())
            for _ in range(2):
                agent.start()
                agent.kill()
            assert [(each["hash"], each["before"]) for each in told(agent)][1:] == [(hashes[1], hashes[0])]
            assert agent.log.count("audit.site_file") == 2
        finally:
            agent.end()
