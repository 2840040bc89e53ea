"""Badge and PIN, lock-out, the lock that comes by itself, and the second badge: with a real database."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent import pin_hash
from edge_agent.pin_rules import PinRules
from edge_agent.pins import NoStartCode
from edge_agent.scanning.labels import label
from edge_agent.scenarios.contract import Policies
from edge_agent.store import Connection, journal
from edge_agent.views import Kind, View
from sync.contract import Fact, JobStarted, MaterialProduced, SignedOff, SignedOn
from sync.person_facts import PinChanged, PinRefused
from tests.agent.hall import Hall, hall_in
from tests.agent.person import an_input, at, said

LEAD, OPERATOR, PIN = "1008", "1001", "2580"
RULES = PinRules(frozenset({"lead"}), tries=3, lockout=900.0)
STRICT = Policies(pin=RULES, second_badge=("wrong_revision", "over_quantity"), lock_after=120.0)

pytestmark = pytest.mark.usefixtures("quick_hashes")


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall_in(tmp_path, pumps=False, policies=STRICT) as strict:
        yield strict


async def badge(hall: Hall, number: str, terminal: str = "T1") -> View:
    """Show a badge, some seconds after whatever was scanned before."""
    hall.clock.advance(2)
    return await hall.give(terminal, "scan", label(Kind.BADGE, number))


async def types(hall: Hall, text: str, terminal: str = "T1") -> View:
    return await hall.give(terminal, "entry", text)


async def has_pin(hall: Hall, pin: str = PIN) -> None:
    """The lead signed on with a start code, chose this PIN, and left."""
    code = await hall.pins.start_code("p8")
    await badge(hall, LEAD)
    for typed in (code, pin, pin):
        view = await types(hall, typed)
    assert at(view) == "choose_job.pick_one", view.message
    await hall.give("T1", "action", "sign_off")


async def facts(hall: Hall, kind: type) -> list[Fact]:
    def look(conn: Connection) -> list[Fact]:
        rows = conn.execute(journal.SELECT + " WHERE kind = ? ORDER BY seq", (kind.__name__,))
        return [journal.to_fact(row) for row in rows]

    return await hall.store.read(look)


async def test_who_needs_no_pin_signs_on_with_the_badge(hall: Hall) -> None:
    assert at(await badge(hall, OPERATOR)) == "choose_job.pick_one"


async def test_a_start_code_leads_to_a_pin_and_the_pin_in(hall: Hall) -> None:
    assert said(await badge(hall, LEAD)) == "pin.none"
    await has_pin(hall)
    view = await badge(hall, LEAD)
    assert (at(view), view.entry and view.entry.kind, view.entry and view.entry.value) == ("sign_on.pin", "pin", "")
    view = await types(hall, PIN)
    assert view.who is not None
    assert view.who.name == "Ines Costa"
    assert [fact.body.start for fact in await facts(hall, PinChanged)] == [True, False]  # type: ignore[union-attr]


async def test_a_start_code_is_good_once(hall: Hall) -> None:
    code = await hall.pins.start_code("p8")
    await badge(hall, LEAD)
    for typed in (code, PIN, PIN):
        await types(hall, typed)
    await hall.give("T1", "action", "sign_off")
    await badge(hall, LEAD)
    assert said(await types(hall, code)) == "pin.wrong"


async def test_a_new_pin_is_typed_twice_and_is_none_of_the_simple_ones(hall: Hall) -> None:
    code = await hall.pins.start_code("p8")
    await badge(hall, LEAD)
    await types(hall, code)
    assert said(await types(hall, "123")) == "pin.length"
    assert said(await types(hall, "4444")) == "pin.simple"
    assert at(await types(hall, PIN)) == "sign_on.repeat_pin"
    view = await types(hall, "2581")
    assert (at(view), said(view)) == ("sign_on.new_pin", "pin.not_the_same")
    assert await facts(hall, SignedOn) == []


@pytest.mark.parametrize("person", ["p1", "p9", "nobody"])
async def test_no_start_code_for_who_needs_none(hall: Hall, person: str) -> None:
    with pytest.raises(NoStartCode):
        await hall.pins.start_code(person)


async def locked_out(hall: Hall) -> None:
    """Three wrong tries, at two terminals."""
    await badge(hall, LEAD)
    assert said(await types(hall, "9999")) == "pin.wrong"
    await badge(hall, LEAD, "T2")
    assert said(await types(hall, "9998", "T2")) == "pin.wrong"
    view = await types(hall, "9997")
    assert (at(view), said(view)) == ("sign_on.badge", "pin.locked_out")


async def test_wrong_tries_are_facts_and_lock_a_person_out_everywhere(hall: Hall) -> None:
    await has_pin(hall)
    await locked_out(hall)
    assert said(await types(hall, PIN, "T2")) == "pin.locked_out"
    assert said(await badge(hall, LEAD)) == "pin.locked_out"
    tries = [(fact.body.tries, fact.body.locked) for fact in await facts(hall, PinRefused)]  # type: ignore[union-attr]
    assert tries == [(1, False), (2, False), (3, True)]
    assert at(await badge(hall, OPERATOR)) == "choose_job.pick_one"
    hall.clock.advance(901)
    await badge(hall, LEAD, "T2")
    assert at(await types(hall, PIN, "T2")) == "choose_job.pick_one"


async def test_a_lock_out_survives_restart_and_reboot_and_no_wall_clock_ends_it(tmp_path: Path) -> None:
    async with hall_in(tmp_path, pumps=False, policies=STRICT) as hall:
        await has_pin(hall)
        await locked_out(hall)
        clock = hall.clock
    for wall in (-86_400.0 * 365, 86_400.0 * 365):
        clock.step_wall(wall)
        async with hall_in(tmp_path, pumps=False, policies=STRICT, clock=clock) as again:
            assert said(await badge(again, LEAD)) == "pin.locked_out"
    clock.advance(899)
    clock.booted = "boot-2"
    async with hall_in(tmp_path, pumps=False, policies=STRICT, clock=clock) as rebooted:
        view = await badge(rebooted, LEAD)
        assert view.message is not None
        assert view.message.params["minutes"] == "15"
        clock.advance(901)
        assert at(await badge(rebooted, LEAD)) == "sign_on.pin"


async def test_a_start_code_ends_a_lock_out(hall: Hall) -> None:
    await has_pin(hall)
    await locked_out(hall)
    code = await hall.pins.start_code("p8")
    await badge(hall, LEAD)
    assert at(await types(hall, code)) == "sign_on.new_pin"


async def test_a_right_pin_forgives_the_wrong_ones(hall: Hall) -> None:
    await has_pin(hall)
    for _ in range(2):
        await badge(hall, LEAD)
        for wrong in ("9999", "9998"):
            assert said(await types(hall, wrong)) == "pin.wrong"
        assert at(await types(hall, PIN)) == "choose_job.pick_one"
        await hall.give("T1", "action", "sign_off")


async def test_the_same_try_sent_again_counts_once(hall: Hall) -> None:
    await has_pin(hall)
    await badge(hall, LEAD)
    wrong = an_input("entry", "9999")
    views = [await hall.terminals.handle("T1", wrong) for _ in range(4)]
    assert [said(view) for view in views] == ["pin.wrong"] * 4
    assert len(await facts(hall, PinRefused)) == 1


async def test_a_pin_is_in_no_file_no_view_and_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    chosen, wrong = "73940518", "50492837"
    async with hall_in(tmp_path, pumps=False, policies=STRICT) as hall:
        code = await hall.pins.start_code("p8")
        await badge(hall, LEAD)
        views = [await types(hall, typed) for typed in (code, chosen, chosen)]
        await hall.give("T1", "action", "sign_off")
        await badge(hall, LEAD)
        views += [await types(hall, typed) for typed in (wrong, chosen)]
    told = "".join(map(repr, views)).encode() + caplog.text.encode()
    kept = b"".join(path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file())
    for secret in (code, chosen, wrong):
        assert secret.encode() not in told
        assert secret.encode() not in kept
    assert b"$argon2id$" in kept


def test_the_costs_of_a_hash_are_those_that_are_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    kept = pin_hash.hash_of(PIN)
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert pin_hash.fits(PIN, kept)
    assert not pin_hash.fits("2581", kept)
    assert not pin_hash.fits(PIN, "no hash at all")


async def test_a_pin_is_compared_in_another_thread(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def fits(pin: str, hash: str) -> bool:
        seen.append(threading.current_thread())
        return True

    monkeypatch.setattr("edge_agent.pins.fits", fits)
    await hall.pins.start_code("p8")
    await badge(hall, LEAD)
    assert at(await types(hall, "1")) == "sign_on.new_pin"
    assert seen
    assert threading.main_thread() not in seen


# ---------------------------------------------------------------- the lock that comes by itself


async def half_done(hall: Hall) -> None:
    """Ana has a job open and wants to report more than is planned: the question stands."""
    await hall.work_on("T1", "J-204")
    await hall.give("T1", "action", "report")


async def idle(hall: Hall, seconds: float = 121) -> View:
    """Nobody does anything."""
    locking = asyncio.create_task(hall.terminals.lock_idle())
    await hall.clock.sleeping()
    hall.clock.advance(seconds)
    async with asyncio.timeout(10):
        await hall.clock.sleeping()
        view = await hall.terminals.view("T1")
    locking.cancel()
    await asyncio.gather(locking, return_exceptions=True)
    return view


async def test_an_idle_terminal_locks_and_the_same_badge_goes_on_at_the_same_step(hall: Hall) -> None:
    await half_done(hall)
    view = await idle(hall)
    assert (at(view), said(view), view.who) == ("sign_on.badge", "sign_on.locked_idle", None)
    assert [fact.body.idle for fact in await facts(hall, SignedOff)] == [True]  # type: ignore[union-attr]
    assert at(await badge(hall, OPERATOR)) == "report_production.good"


async def test_a_terminal_that_is_used_does_not_lock(hall: Hall) -> None:
    await half_done(hall)
    for _ in range(3):
        assert at(await idle(hall, 60)) == "report_production.good"
        await hall.give("T1", "action", "nonsense")


async def test_a_terminal_at_which_somebody_types_for_long_does_not_lock(hall: Hall) -> None:
    await half_done(hall)
    for _ in range(3):
        assert at(await idle(hall, 100)) == "report_production.good"
        hall.terminals.keys_pressed("T1")
    assert at(await idle(hall, 119)) == "report_production.good"
    assert at(await idle(hall, 2)) == "sign_on.badge"
    hall.terminals.keys_pressed("T1")  # nobody is there: it opens nothing, and locks nothing twice
    assert at(await idle(hall)) == "sign_on.badge"
    assert len(await facts(hall, SignedOff)) == 1


async def test_another_badge_is_told_what_is_held_and_may_take_over(hall: Hall) -> None:
    await half_done(hall)
    await idle(hall)
    view = await badge(hall, "1002")
    assert said(view) == "sign_on.held"
    assert view.message is not None
    assert view.message.params.items() >= {"name": "Ana Silva", "job": "J-204"}.items()
    view = await badge(hall, "1002")
    assert (at(view), view.who and view.who.name) == ("report_production.running", "Bo Lindqvist")


async def test_the_same_person_needs_the_pin_again(hall: Hall) -> None:
    await has_pin(hall)
    await badge(hall, LEAD)
    await types(hall, PIN)
    await hall.give("T1", "scan", label(Kind.JOB, "J-204"))
    await hall.give("T1", "action", "scrap")
    await idle(hall)
    assert at(await badge(hall, LEAD)) == "sign_on.pin"
    assert at(await types(hall, PIN)) == "report_production.scrap"


# ---------------------------------------------------------------- the second badge


async def asks_for_a_deviation(hall: Hall, number: str = OPERATOR) -> View:
    await badge(hall, number)
    if number == LEAD:
        await types(hall, PIN)
    await hall.give("T1", "scan", label(Kind.JOB, "J-201"))
    return await hall.give("T1", "action", "exception")


async def test_a_start_without_a_drawing_takes_a_lead_with_their_pin(hall: Hall) -> None:
    await has_pin(hall)
    view = await asks_for_a_deviation(hall)
    assert (at(view), view.prompt) == ("choose_job.deviate", "choose_job.deviate_badge")
    assert said(await hall.give("T1", "action", "confirm")) == "step.not_here"
    assert said(await badge(hall, OPERATOR)) == "second_badge.same_person"
    assert said(await badge(hall, "1002")) == "second_badge.no_right"
    assert at(await badge(hall, LEAD)) == "choose_job.deviate_pin"
    assert said(await types(hall, "9999")) == "pin.wrong"
    view = await types(hall, PIN)
    assert (at(view), said(view)) == ("report_production.running", "choose_job.started_deviating")
    (started,) = await facts(hall, JobStarted)
    assert isinstance(started.body, JobStarted)
    assert (started.person, started.body.released_by) == ("p1", "p8")


async def test_a_lead_does_not_release_their_own_work(hall: Hall) -> None:
    await has_pin(hall)
    await asks_for_a_deviation(hall, LEAD)
    view = await badge(hall, LEAD)
    assert (at(view), said(view)) == ("choose_job.deviate", "second_badge.same_person")
    assert await facts(hall, JobStarted) == []


async def test_more_than_planned_takes_a_lead(tmp_path: Path) -> None:
    policies = Policies(second_badge=("over_quantity",))
    async with hall_in(tmp_path, pumps=False, policies=policies) as hall:
        await hall.work_on("T1", "J-204")
        view = await types(hall, "801")
        assert (at(view), view.prompt) == ("report_production.confirm", "report_production.over_planned_badge")
        assert said(await hall.give("T1", "action", "confirm")) == "step.not_here"
        view = await badge(hall, LEAD)
        assert (at(view), said(view)) == ("report_production.running", "report_production.saved_good")
        (produced,) = await facts(hall, MaterialProduced)
        assert isinstance(produced.body, MaterialProduced)
        assert (produced.person, produced.body.released_by) == ("p1", "p8")
        await types(hall, "900")
        assert (await hall.terminals.view("T1")).message.code == "report_production.too_many"  # type: ignore[union-attr]


def test_the_memory_of_a_hash_is_given_back_and_nothing_is_loaded_before_the_first() -> None:
    command = [sys.executable, "-c", _HASHES]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    loaded, kept = ended.stdout.split()
    assert loaded == "False"
    assert float(kept) < 8.0, "MiB more than before the first PIN; a hash takes 19"


_HASHES = """
import sys, threading, psutil
import edge_agent.agent
from edge_agent.pin_hash import fits, hash_of
print("argon2" in sys.modules)
process, kept = psutil.Process(), []
before = process.memory_info().rss
for work in (lambda: kept.append(hash_of("2580")), *[lambda: fits("2580", kept[0])] * 3):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
print((process.memory_info().rss - before) / 2**20)
"""


async def test_the_lock_screen_tells_nothing_of_what_the_last_person_reported(hall: Hall) -> None:
    await badge(hall, OPERATOR)
    await hall.give("T1", "scan", label(Kind.JOB, "J-204"))
    view = await hall.give("T1", "action", "sign_off")
    assert (view.who, view.log) == (None, ())
    assert (await badge(hall, OPERATOR)).log


@pytest.mark.parametrize("leaves", ["by key", "by itself"])
async def test_the_next_person_sees_nothing_of_what_the_last_one_reported(hall: Hall, leaves: str) -> None:
    mine = await hall.work_on("T1", "J-204")
    assert mine.log
    await hall.give("T1", "action", "sign_off")
    await hall.give("T1", "scan", "nobody's badge")
    assert mine.log[0] in (await badge(hall, OPERATOR)).log
    if leaves == "by key":
        await hall.give("T1", "action", "sign_off")
    else:
        await idle(hall)
        await badge(hall, "1002")  # who is told whose work is held
    view = await badge(hall, "1002")
    assert (at(view), view.who and view.who.name) == ("report_production.running", "Bo Lindqvist")
    assert [message.params.get("name") for message in view.log] == ["Bo Lindqvist"]
    await hall.give("T1", "action", "sign_off")
    again = await badge(hall, OPERATOR)
    assert {message.params.get("name") for message in again.log} == {"Ana Silva"}
