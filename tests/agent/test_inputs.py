"""One input, one step, one commit, one view: whatever comes in twice, at once, or in pieces."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from edge_agent.client import InputRefused
from edge_agent.scanning.labels import label
from edge_agent.views import Kind
from edge_agent.views.status import Problem
from tests.agent.person import Person, an_input, at, said
from tests.agent.running import Plant, ask


async def facts_of(person: Person) -> list[str]:
    """The kinds of fact that were recorded at the terminal, oldest first."""
    rows = await person.agent.journal(limit=1000)
    return [row.kind for row in rows if row.terminal == person.terminal]


def post(plant: Plant, terminal: str, body: bytes) -> tuple[int, str]:
    """Hand in raw bytes; the status and the code of the problem."""
    status, answer = ask(plant.agent.socket, "POST", f"/v1/terminals/{terminal}/input", body)
    return status, msgspec.json.decode(answer, type=Problem).code


async def test_the_same_input_twice_is_one_fact_and_one_view(person: Person, other: Person) -> None:
    await person.work_on()
    await other.work_on(badge="1002")
    given = an_input("entry", "3")
    first = await person.agent.send(person.terminal, given)
    await other.type("5")  # on the same job: the figures are others now, the answer is not
    assert await person.agent.send(person.terminal, given) == first
    assert said(first) == "report_production.saved_good"
    assert (await facts_of(person)).count("MaterialProduced") == 1


async def test_the_same_scan_twice_is_one_fact_and_one_view(person: Person) -> None:
    given = an_input("scan", label(Kind.BADGE, "1001"))
    first = await person.agent.send(person.terminal, given)
    assert await person.agent.send(person.terminal, given) == first
    assert await facts_of(person) == ["SignedOn"]


async def test_an_input_sent_again_after_later_ones_is_not_taken_again(person: Person) -> None:
    """A terminal that lost its line sends the input in hand once more; meanwhile the scanner was used."""
    await person.work_on()
    given = an_input("entry", "3")
    await person.agent.send(person.terminal, given)
    await person.type("4")
    again = await person.agent.send(person.terminal, given)
    assert again.message is not None
    assert again.message.params["quantity"] == "4"
    assert (await facts_of(person)).count("MaterialProduced") == 2


@pytest.mark.parametrize("kind", ["entry", "scan"])
async def test_the_same_input_sent_ten_times_at_once_is_one_fact(person: Person, kind: str) -> None:
    if kind == "entry":
        await person.work_on()
        given, recorded = an_input("entry", "2"), "MaterialProduced"
    else:
        given, recorded = an_input("scan", label(Kind.BADGE, "1002")), "SignedOn"
    views = await asyncio.gather(*(person.agent.send(person.terminal, given) for _ in range(10)))
    assert all(view == views[0] for view in views)
    assert views[0].input == given.id
    assert (await facts_of(person)).count(recorded) == 1


async def test_a_label_read_twice_in_one_pull_is_one_scan(person: Person) -> None:
    await person.sign_on()
    read = [an_input("scan", label(Kind.LOCATION, "PACK-1")) for _ in range(3)]
    wrong = [await person.agent.send(person.terminal, given) for given in (*read, read[-1], read[0])]
    assert {said(view) for view in wrong} == {"scan.other_type"}
    assert await facts_of(person) == ["SignedOn", "ScanRefused"]


async def test_inputs_at_two_terminals_do_not_mix(person: Person, other: Person) -> None:
    await asyncio.gather(person.sign_on("1001"), other.sign_on("1002"))
    views = await asyncio.gather(person.look(), other.look())
    assert [view.who.name if view.who else "" for view in views] == ["Ana Silva", "Bo Lindqvist"]


async def test_an_unknown_terminal_is_a_problem_in_words(person: Person) -> None:
    nobody = Person(person.agent, "T999")
    for asked in (nobody.look, nobody.sign_on):
        with pytest.raises(InputRefused) as refused:
            await asked()
        assert refused.value.problem == Problem("agent.unknown_terminal", {"terminal": "T999"})
    with pytest.raises(InputRefused) as refused:
        await anext(person.agent.events("T999"))
    assert refused.value.problem.code == "agent.unknown_terminal"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"id": "a", "kind": "scan"}',
        b'{"id": "a", "kind": "shout", "data": "x"}',
        b'{"id": 1, "kind": "scan", "data": "x"}',
        b'{"id": "", "kind": "scan", "data": "x"}',
        b'{"id": "a", "kind": "scan", "data": "x", "terminal": "T1"}',
        b'{"id": "a", "kind": "scan", "data": "x", "seq": 4}',
    ],
)
async def test_what_is_no_input_is_refused(plant: Plant, person: Person, body: bytes) -> None:
    assert post(plant, person.terminal, body) == (400, "agent.not_understood")
    assert await facts_of(person) == []


@pytest.mark.parametrize(
    ("id", "data"), [("a" * 65, "x"), ("a", "x" * 4097), ("a", "x" * 20_000_000)], ids=["id", "data", "flood"]
)
async def test_an_input_larger_than_any_label_is_refused(
    plant: Plant, person: Person, id: str, data: str
) -> None:
    body = json.dumps({"id": id, "kind": "scan", "data": data}).encode()
    status, code = post(plant, person.terminal, body)
    assert (status, code) in {(400, "agent.not_understood"), (413, "agent.not_understood")}
    assert await facts_of(person) == []
    assert at(await person.look()) == "sign_on.badge"


async def test_a_stranger_that_hangs_up_in_mid_request_is_no_bug(plant: Plant, person: Person) -> None:
    _reader, writer = await asyncio.open_unix_connection(str(plant.agent.socket))
    head = f"POST /v1/terminals/{person.terminal}/input HTTP/1.1\r\nhost: a\r\ncontent-length: 500\r\n\r\n{{"
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await person.sign_on()
    assert "api.bug" not in plant.agent.log


@pytest.mark.parametrize("query", ["limit=many", "after=x", "limit=" + "9" * 5000])
def test_a_query_that_is_no_number_is_refused(plant: Plant, query: str) -> None:
    status, answer = ask(plant.agent.socket, "GET", f"/v1/journal?{query}")
    assert (status, msgspec.json.decode(answer, type=Problem).code) == (400, "agent.not_understood")


async def test_before_the_first_number_comes_everything(plant: Plant, person: Person) -> None:
    await person.sign_on()
    assert plant.get(f"/v1/journal?after=-{10**22}&limit=1") == plant.get("/v1/journal?after=0&limit=1") != b"[]"


async def test_the_number_of_a_badge_is_not_written_down_when_it_was_misread(person: Person) -> None:
    for text in ("B:7777.X", "]C0B:7777", "\x02B:7777.\x00"):
        await person.agent.send(person.terminal, an_input("scan", text))
    rows = [row for row in await person.agent.journal(limit=1000) if row.terminal == person.terminal]
    assert [row.kind for row in rows] == ["ScanRefused"] * 3
    assert "7777" not in repr(rows)
    assert {row.body["raw"] for row in rows} == {"(a badge)"}


def test_nothing_comes_after_the_end_of_all_numbers(plant: Plant) -> None:
    assert plant.get("/v1/journal?after=99999999999999999999") == b"[]"


@pytest.mark.parametrize(
    ("data", "kind"), [("٣", "choice"), ("9" * 400, "entry"), ("\x1b[2J", "action"), ("€", "scan")]
)
async def test_odd_inputs_are_answered_in_words(person: Person, data: str, kind: str) -> None:
    await person.work_on()
    view = await person.agent.send(person.terminal, an_input(kind, data))  # type: ignore[arg-type]
    assert said(view) != ""
    assert at(view) == "report_production.running"
