"""The maintenance pages: what must be on them, at every size, in words and signs and never by colour alone."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from edge_agent.client import InputRefused
from edge_agent.views.maintenance import ShortStops, Unattributed
from edge_agent.views.status import Problem, Status
from terminal_ui.glyphs import ASCII, UNICODE
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.queue import QueueSheet
from terminal_ui.screens.step import Middle
from terminal_ui.texts import Texts
from terminal_ui.widgets.block import Block
from terminal_ui.widgets.frame import Banner
from tests.terminal_ui.fake import FakeAgent, HandClock, by_hand, has_revision, screen_text, shown, terminal
from tests.terminal_ui.pages import MACHINE, MACHINES, PAGES, PLANT, READING, SPOOFED, WATCHED, trend
from tests.terminal_ui.samples import NOW, STATUS, VIEWS

WIDE, HANDHELD, LARGE = (80, 17), (40, 10), (120, 30)


def drawn(
    page: str, size: tuple[int, int] = WIDE, status: Status = PLANT, kind: type[Block] = Middle,
    ascii_only: bool = False,
) -> str:  # fmt: skip
    scene = Scene(NOW, PAGES[page], status, trend=trend() if page == "trend" else None)
    block = kind(Look(Texts("en"), ASCII if ascii_only else UNICODE, NOW.tzinfo))
    return "\n".join(line.plain for line in block.fitted(scene, *size))


@pytest.mark.parametrize("size", [WIDE, LARGE], ids=["80", "120"])
def test_the_line_has_every_machine_with_what_is_wrong(size: tuple[int, int]) -> None:
    text = drawn("line", size)
    rows = text.splitlines()
    for number, machine in enumerate(MACHINES, 1):
        row = next(row for row in rows if machine.id in row and row.split()[0] == str(number))
        assert machine.state in row
    assert "! Hydraulic pressure low (412)" in text
    assert "unexplained stops: 2" in text
    assert "open requests: 1" in text
    assert "no answer from pack-1" in text
    assert "1 without data" in text


def test_a_strip_tells_no_data_from_idle_and_from_a_stop_by_its_sign() -> None:
    for ascii_only in (False, True):
        rows = drawn("line", ascii_only=ascii_only).splitlines()
        signs = {machine.id: next(row for row in rows if machine.id in row).split()[-1] for machine in MACHINES}
        assert signs["PACK-1"].endswith("???")
        assert signs["PRESS-02"].endswith(("▄!", "+!"))
        idle = signs["CNC-02"][-1]
        assert idle not in "?!"
        assert signs["OVEN-1"][0] == idle


def test_a_handheld_shows_the_line_two_rows_a_machine_and_leafs() -> None:
    text = drawn("line", HANDHELD)
    assert "PRESS-01" in text
    assert "2 why? 1 req." in text
    assert "2 more: PageDown" in text
    assert "OVEN-1" in text
    assert "PACK-1" not in text


def test_a_machine_that_is_well_shows_its_job_and_its_oee() -> None:
    rows = drawn("line", WIDE).splitlines()
    assert any("J-198" in row and "OEE 87 %" in row for row in rows)
    assert any("J-204" in row and "OEE 69 %" in row and "unexplained stops: 2" in row for row in rows)
    assert any(row.strip() == "J-190" for row in rows), "of which no OEE is known"
    handheld = drawn("line", HANDHELD).splitlines()
    assert any("J-198 OEE 87 %" in row for row in handheld)


async def test_page_down_shows_the_rest_and_page_up_the_first_again() -> None:
    app = terminal(FakeAgent(PAGES["line"], PLANT))
    async with app.run_test(size=(40, 16)) as pilot:
        await shown(pilot, lambda: "PRESS-01" in screen_text(app))
        await by_hand(pilot, "pagedown")
        await shown(pilot, lambda: "CNC-02" in screen_text(app))
        assert "no answer" in screen_text(app)
        await by_hand(pilot, "pageup")
        await shown(pilot, lambda: "PRESS-01" in screen_text(app))


def test_a_machine_has_its_values_with_quality_and_age() -> None:
    text = drawn("machine")
    rows = text.splitlines()
    assert "▶ EXECUTE  mode Production  since 09:58, 44 min" in text
    assert any(row.split()[:4] == ["1", "cycle", "time", "24.1"] for row in rows)
    bad = next(number for number, row in enumerate(rows) if "melt temperature" in row)
    assert "231 °C" in rows[bad]
    assert "! BAD 4 min old" in rows[bad] + rows[bad + 1]
    assert "? uncertain 4 s" in text
    assert "MTBF 3.2 h   MTTR 12 min" in text
    assert "12 without a job" in text
    assert "■ not explained  Safety door open" in text
    assert "leaks oil  ■ down  at once  Ana Silva" in text


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ((80, 24), ["material PA66-GF30  ·  lot R75  ·  use by 2027-03-31  ·  22.7 kg left  ·  +1"]),
        ((120, 40), ["material PA66-GF30  ·  lot R75  ·  use by 2027-03-31  ·  22.7 kg left",
                     "material INSERT-M5  ·  lot R44  ·  use by 2027-07-31  ·  624 pc left"]),
        ((40, 16), []),
    ],
    ids=str,
)  # fmt: skip
async def test_the_first_material_is_on_the_work_screen_and_the_others_where_there_is_room(
    size: tuple[int, int], told: list[str]
) -> None:
    app = terminal(FakeAgent(VIEWS["work"], STATUS))
    async with app.run_test(size=size) as pilot:
        await shown(pilot, lambda: "342" in screen_text(app) or "J-204" in screen_text(app))
        rows = [row.strip() for row in screen_text(app).splitlines()]
    assert [row for row in rows if row.startswith("material ")] == told
    if size[0] >= 80:
        assert any(row.startswith("Housing, left") for row in rows), "what was there before is there still"
        assert any("ACME" in row for row in rows)


def test_a_value_is_never_cut_on_a_handheld() -> None:
    text = drawn("machine", (40, 60))
    assert "118.25 bar" in text
    assert "MTBF 3.2 h" in text
    assert "leaks oil" in text


def test_another_machine_is_not_shown_as_this_one() -> None:
    other = msgspec.structs.replace(PLANT, watched=msgspec.structs.replace(WATCHED, id="PRESS-01"))
    text = drawn("machine", status=other)
    assert "No live values of this machine yet." in text
    assert "24.1" not in text
    assert "? NO DATA" in text


def test_a_link_is_told_in_words() -> None:
    text = drawn("link", status=SPOOFED)
    for words in ("192.0.2.31:502, unit 1", "✓ ok", "12 ms", "whoever is on this network can read", "12 days"):
        assert words in text
    lost = msgspec.structs.replace(PAGES["link"].page, device="pack-1")
    scene = Scene(NOW, msgspec.structs.replace(PAGES["link"], page=lost), PLANT)
    told = "\n".join(line.plain for line in Middle(Look(Texts("en"), UNICODE, NOW.tzinfo)).fitted(scene, *WIDE))
    assert "! lost" in told
    assert "23 min ago" in told
    assert "Cable, power, or a wrong address." in told


def test_downtime_is_longest_first_with_the_sum_so_far() -> None:
    rows = drawn("downtime").splitlines()[2:]
    assert [row.split("%")[0].split()[-1] for row in rows] == ["44", "72", "90", "100", "100"]
    bars = [row.count("█") for row in rows]
    assert bars == sorted(bars, reverse=True)
    assert bars[-1] == 1
    assert "■ not explained" in rows[2]


# ------------------------------------------------------------ trend


def test_a_gap_in_a_trend_is_a_gap() -> None:
    rows = drawn("trend").splitlines()
    quality = next(number for number, row in enumerate(rows) if "!!!" in row)
    first = rows[quality].index("!")
    behind = rows[quality].rindex("!") + 1
    assert behind - first >= 9
    for row in rows[2:quality]:
        assert not row[first + 1 : behind - 1].strip(), row
    lost = rows[quality].index("?")
    assert all(not row[lost : lost + 2].strip() for row in rows[2:quality])
    assert "~" in rows[quality]
    assert any("10:00" in row for row in rows[quality:])
    assert all(drawn(page, ascii_only=True).isascii() for page in PAGES)


def test_a_trend_without_numbers_says_why() -> None:
    none: list[float | None] = [None] * 120
    for status, words in (("Bad", "BAD or text"), ("", "No value of this was kept")):
        empty = msgspec.structs.replace(trend(), low=none, high=none, last=none, status=[status] * 120)
        scene = Scene(NOW, PAGES["trend"], PLANT, trend=empty)
        rows = Middle(Look(Texts("en"), UNICODE)).fitted(scene, *WIDE)
        assert words in "\n".join(row.plain for row in rows)


async def test_a_trend_is_asked_for_and_again_when_it_is_old() -> None:
    clock = HandClock()
    agent = FakeAgent(PAGES["trend"], PLANT)
    app = terminal(agent, clock=clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: "Asking for the values" in screen_text(app))
        agent.trends = [trend()]
        await shown(pilot, lambda: "most 52." in screen_text(app))
        assert agent.trends_asked[0][:3] == ("press-03", "oil temperature", "2026-11-20T09:42:00+00:00")
        asked = len(agent.trends_asked)
        app._each_second()
        await pilot.pause()
        assert len(agent.trends_asked) == asked
        clock.move(61)
        app._each_second()
        await shown(pilot, lambda: len(agent.trends_asked) == asked + 1)
        agent.tell(msgspec.structs.replace(PAGES["machine"], revision=9))
        await shown(pilot, lambda: has_revision(app, 9))
        clock.move(61)
        app._each_second()
        await pilot.pause()
        assert len(agent.trends_asked) == asked + 1


async def test_a_trend_that_is_refused_says_so() -> None:
    agent = FakeAgent(PAGES["trend"], PLANT)
    agent.trends = [InputRefused(Problem("agent.not_understood", {}))]
    app = terminal(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: "did not understand" in screen_text(app))


# ------------------------------------------------------------ the test read

@pytest.mark.parametrize("size", [(80, 24), (40, 16)])
async def test_r_reads_every_point_and_says_what_came(size: tuple[int, int]) -> None:
    clock = HandClock()
    agent = FakeAgent(PAGES["link"], PLANT)
    app = terminal(agent, clock=clock)
    async with app.run_test(size=size) as pilot:
        await shown(pilot, lambda: "R " in screen_text(app))
        await by_hand(pilot, "r")
        await shown(pilot, lambda: agent.read)
        await by_hand(pilot, "r")
        await by_hand(pilot, "pagedown")
        clock.move(3)
        app._each_second()
        await shown(pilot, lambda: "Reading every point ... 3 s" in screen_text(app))
        assert agent.read == ["press-03"]
        agent.readings.put_nowait(READING)
        await shown(pilot, lambda: "3 of 4 good" in " ".join(screen_text(app).split()))
        seen = ""
        while "it has no such address" not in " ".join(screen_text(app).split()):
            before = screen_text(app)
            seen += " " + before
            await by_hand(pilot, "pagedown")
            await pilot.pause()
            assert screen_text(app) != before
        told = " ".join(f"{seen} {screen_text(app)}".split())
        assert all(words in told for words in ("51.5 °C", "11 HELD", "Hydraulic pressure low"))
        assert "! BAD" in told
        assert not agent.sent
        agent.tell(msgspec.structs.replace(PAGES["machine"], revision=8))
        agent.tell(msgspec.structs.replace(PAGES["link"], revision=9))
        await shown(pilot, lambda: has_revision(app, 9))
        assert app.feed.current().reading is None


async def test_a_test_read_that_can_not_be_says_why() -> None:
    agent = FakeAgent(PAGES["link"], PLANT)
    agent.readings.put_nowait(InputRefused(Problem("device.not_read", {"what": "Nobody answers."})))
    app = terminal(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "r")
        await shown(pilot, lambda: "It can not be read now: Nobody answers." in screen_text(app))


async def test_r_reads_nothing_anywhere_else() -> None:
    agent = FakeAgent(PAGES["downtime"], PLANT)
    app = terminal(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "r")
        await shown(pilot, lambda: "does nothing at this step" in screen_text(app))
        assert agent.read == []
        assert "test read" not in screen_text(app)


# ------------------------------------------------------------ the banner, the small window, the handheld


def test_an_insecure_device_is_told_on_every_screen() -> None:
    for size in (80, 40):
        assert "NOT SECURE" in drawn("line", (size, 1), SPOOFED, Banner)
        assert "press-03" in drawn("line", (size, 1), SPOOFED, Banner)
        assert "NOT SECURE" not in drawn("line", (size, 1), PLANT, Banner)
    assert "read and change what press-03 says" in drawn("line", (80, 1), SPOOFED, Banner)
    many = msgspec.structs.replace(
        SPOOFED, devices=tuple(msgspec.structs.replace(one, insecure=True) for one in SPOOFED.devices)
    )
    assert "press-03 +2" in drawn("line", (80, 1), many, Banner)
    assert "Let it sign and encrypt" in drawn("line", (80, 40), SPOOFED, QueueSheet)


async def test_the_banner_is_on_the_work_and_on_the_pages_over_it() -> None:
    app = terminal(FakeAgent(VIEWS["work"], SPOOFED))
    async with app.run_test(size=(40, 16)) as pilot:
        await shown(pilot, lambda: "NOT SECURE: press-03. F9" in screen_text(app))
        await by_hand(pilot, "f9")
        await shown(pilot, lambda: "Links and unsent" in screen_text(app) and "NOT SECURE" in screen_text(app))


@pytest.mark.parametrize("size", [(39, 24), (80, 15), (20, 8)])
async def test_a_window_that_is_too_small_says_so_in_words(size: tuple[int, int]) -> None:
    app = terminal(FakeAgent(VIEWS["work"], STATUS))
    async with app.run_test(size=size) as pilot:
        await shown(pilot, lambda: app.feed.view)
        told = " ".join(screen_text(app).split())
        assert told == f"This window is too small: {size[0]} x {size[1]}. Make it 40 x 16 or larger."
        await pilot.resize_terminal(80, 24)
        await shown(pilot, lambda: "Running." in screen_text(app))
        assert "too small" not in screen_text(app)


async def test_a_handheld_says_how_to_sign_off_and_that_pages_go_on() -> None:
    app = terminal(FakeAgent(VIEWS["pick_go"], STATUS))
    async with app.run_test(size=(40, 16)) as pilot:
        await shown(pilot, lambda: "F10 off" in screen_text(app))
        for key in ("f1", "f9"):
            await by_hand(pilot, key)
            await shown(pilot, lambda: "more: PageDown" in screen_text(app))
            for _ in range(4):
                await by_hand(pilot, "pagedown")
            await shown(pilot, lambda: "more: PageDown" not in screen_text(app))
            await by_hand(pilot, "f3")


def test_a_job_that_was_begun_is_marked_in_the_list() -> None:
    scene = Scene(NOW, VIEWS["dispatch"], STATUS)
    for width in (80, 40):
        rows = [row.plain for row in Middle(Look(Texts("en"), UNICODE)).fitted(scene, width, 9)]
        told = [row for row in rows if "▶" in row and "J-" in row]
        assert len(told) == 1
        assert "J-204" in told[0]
    assert any("▶ begun already" in row.plain for row in Middle(Look(Texts("en"), UNICODE)).fitted(scene, 80, 9))


def test_short_stops_are_told_apart_and_the_same_at_the_machine_and_at_the_work() -> None:
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    look = Look(Texts("en"), UNICODE, NOW.tzinfo)
    told = ShortStops(hour, 1, 2, day=9)
    machine = msgspec.structs.replace(PAGES["machine"], page=msgspec.structs.replace(MACHINE, short_stops=told))
    for size in (WIDE, (40, 40)):
        rows = "\n".join(line.plain.rstrip() for line in Middle(look).fitted(Scene(NOW, machine, PLANT), *size))
        assert "Last stops" in rows
        assert "short ones: 2 this hour, 9 in 24 h" in rows
    page = msgspec.structs.replace(VIEWS["work"].page, stood=told)
    work = Scene(NOW, msgspec.structs.replace(VIEWS["work"], page=page), PLANT, hour="R" * 60)
    assert "1 stop, 2 short" in "\n".join(line.plain for line in Middle(look).fitted(work, *WIDE))
    later = msgspec.structs.replace(told, since=hour - timedelta(hours=1))
    work = Scene(NOW, msgspec.structs.replace(VIEWS["work"], page=msgspec.structs.replace(page, stood=later)), PLANT,
                 hour="R" * 60)  # fmt: skip
    assert "2 short" not in "\n".join(line.plain for line in Middle(look).fitted(work, *WIDE))


def test_a_value_that_was_never_read_is_no_python() -> None:
    values = tuple(msgspec.structs.replace(each, value=None, status="Bad", source_time=None) for each in WATCHED.values)
    machine = msgspec.structs.replace(WATCHED, values=values, alarm="", mode="", count=None)
    status = msgspec.structs.replace(PLANT, machine=machine, watched=machine)
    look = Look(Texts("en"), UNICODE, NOW.tzinfo)
    for view in (VIEWS["work"], *PAGES.values()):
        for size in (WIDE, HANDHELD):
            text = "\n".join(line.plain for line in Middle(look).fitted(Scene(NOW, view, status), *size))
            assert "None" not in text, text


def test_the_head_of_the_downtime_is_what_people_call_the_machine() -> None:
    look = Look(Texts("en"), UNICODE, NOW.tzinfo)
    page = msgspec.structs.replace(PAGES["downtime"].page, equipment="PRESS-03", name="Press 3")
    scene = Scene(NOW, msgspec.structs.replace(PAGES["downtime"], page=page), PLANT)
    head = Middle(look).fitted(scene, *WIDE)[0].plain
    assert "Press 3" in head
    assert "PRESS-03" not in head


def test_a_name_has_the_room_it_needs_on_the_overview() -> None:
    row = msgspec.structs.replace(MACHINES[0], name="Machining centre 2")
    page = msgspec.structs.replace(PAGES["line"].page, machines=(row, *MACHINES[1:]))
    scene = Scene(NOW, msgspec.structs.replace(PAGES["line"], page=page), PLANT)
    rows = Middle(Look(Texts("en"), UNICODE)).fitted(scene, 80, 18)
    assert any("Machining centre 2 " in row.plain for row in rows)
    assert all(row.cell_length <= 80 for row in rows)


def test_a_picture_gives_way_to_what_goes_into_the_part() -> None:
    look, hour = Look(Texts("en"), UNICODE, NOW.tzinfo), NOW.replace(minute=0, second=0, microsecond=0)
    stood = ShortStops(hour, 1, 2, day=9)
    page = msgspec.structs.replace(VIEWS["work"].page, stood=stood, unattributed=Unattributed(5, NOW))
    scene = Scene(NOW, msgspec.structs.replace(VIEWS["work"], page=page), PLANT, hour="R" * 60)
    shown = "\n".join(row.plain for row in Middle(look).fitted(scene, 80, 9))
    assert [words in shown for words in ("PA66-GF30", "5 parts without a job", "rev C", "pc left")] == [True] * 4


def test_what_was_before_the_first_value_is_told_in_the_legend() -> None:
    assert "· not watched yet" in drawn("line")
    row = msgspec.structs.replace(MACHINES[0], strip=MACHINES[2].strip[-1:])
    page = msgspec.structs.replace(PAGES["line"].page, machines=(row,))
    scene = Scene(NOW, msgspec.structs.replace(PAGES["line"], page=page), PLANT)
    text = "\n".join(line.plain for line in Middle(Look(Texts("en"), UNICODE)).fitted(scene, *HANDHELD))
    assert "█ runs" in text
    assert "· not watched yet" in text
    assert "no data" not in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alarm": "", "alarm_status": "Bad"}, "? alarm not known"), ({"alarm": "", "alarm_status": "Good"}, ""),
        ({"alarm": "Guard open", "alarm_status": "Uncertain"}, "Guard open ?"),
        ({"state": "EXECUTE", "state_status": "Uncertain"}, "EXECUTE ?"),
    ],
)  # fmt: skip
def test_what_is_not_known_of_a_machine_is_not_shown_as_good(changes: dict[str, str], words: str) -> None:
    live = msgspec.structs.replace(WATCHED, state="EXECUTE")
    told = drawn("machine", status=msgspec.structs.replace(PLANT, watched=msgspec.structs.replace(live, **changes)))
    assert words in told
    assert ("alarm not known" in told) is ("not known" in words)
