"""A scripted shift: an operator and a picker at work while the agent is killed and the ERP goes away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from edge_agent.clock import SystemClock
from edge_agent.demo.balance import Balance, settle
from edge_agent.demo.disturbances import ERP_AWAY_SECONDS, Disturbances
from edge_agent.demo.plant import Plant
from edge_agent.demo.robot import Robot, Stuck
from edge_agent.views import Kind, PickPage, View


async def work_a_shift(folder: Path, told: Callable[[str], None]) -> Balance:
    """Start the plant, work at two terminals under three kills and two faults, and draw the balance."""
    clock = SystemClock()
    started = clock.monotonic()
    async with Plant(folder, told) as plant:
        operator, picker = Robot(plant, "T1", 1), Robot(plant, "T2", 2)
        async with asyncio.TaskGroup() as people:
            work = people.create_task(_operate(operator))
            walk = people.create_task(_pick(picker))
            chaos = people.create_task(_disturb(plant, (operator, picker), told))
        told(
            f"{work.result()} work reports and {walk.result()} picks are done; waiting for the ERP to have them all"
        )
        confirmed = operator.confirmed | picker.confirmed
        balance = await settle(plant, confirmed, (*operator.entered, *picker.entered), chaos.result())
        return balance.timed(clock.monotonic() - started, work.result(), walk.result())


async def _operate(robot: Robot) -> int:
    """Two jobs at the press: good pieces, scrap with reasons, a wrong drawing, an end that is short."""
    robot.saved(await robot.label(Kind.BADGE, "1001"), "SignedOn", "person/p1")
    view = await robot.label(Kind.JOB, "J-201")
    await robot.expect("choose_job.scan_drawing", view)
    robot.refused(await robot.label(Kind.DRAWING, "DRW-1001", "A"))  # last year's drawing: must be held
    view = await robot.label(Kind.DRAWING, "DRW-1001", "B")
    await robot.expect("report_production.running", view)
    robot.saved(view, "JobStarted", "J-201")
    reports = await _report(robot, "J-201", 24)
    await robot.do("list")
    view = await robot.label(Kind.JOB, "J-204")
    await robot.expect("report_production.running", view)
    robot.saved(view, "JobStarted", "J-204")
    reports += await _report(robot, "J-204", 12)
    await robot.do("finish")
    view = await robot.choose(1)
    await robot.expect("choose_job.pick_one", view)
    robot.saved(view, "JobCompleted", "J-204")
    return reports + 1


async def _report(robot: Robot, job: str, times: int) -> int:
    for number in range(times):
        if number % 4 == 3:
            await robot.do("scrap")
            await robot.type("1")
            view = await _answer(robot, await robot.choose(number % 5 + 1))
            robot.saved(view, "MaterialScrapped", job, "1")
        else:
            pieces = str(number % 3 + 1)
            view = await _answer(robot, await robot.type(pieces))
            robot.saved(view, "MaterialProduced", job, pieces)
        await robot.expect("report_production.running", view)
        robot.reports += 1
    return times


async def _answer(robot: Robot, view: View) -> View:
    """The machine counted less than is reported: say that it is so."""
    return await robot.do("confirm") if view.step == "confirm" else view


async def _pick(robot: Robot) -> int:
    """Seven orders by the walk: counted lines, a wrong bin now and then, one line that is short."""
    robot.saved(await robot.label(Kind.BADGE, "1002"), "SignedOn", "person/p2")
    picks = 0
    for order in range(771, 778):
        view = await robot.label(Kind.JOB, f"SO-{order}")
        robot.saved(view, "JobStarted", f"SO-{order}")
        while view.scenario == "pick":
            view = await _line(robot, view, picks)
            picks += 1
            robot.reports += 1
        if view.message is None or not view.message.code.endswith("order_done"):
            raise Stuck(f"order SO-{order} ended without being done")
    return picks


async def _line(robot: Robot, view: View, number: int) -> View:
    page = view.page
    if not isinstance(page, PickPage):
        raise Stuck(f"no line to pick at {view.scenario}.{view.step}")
    if number % 9 == 4:
        robot.refused(await robot.label(Kind.LOCATION, "PACK-1"))  # nothing is picked there
    if view.step == "go":
        view = await _planned(robot, view, Kind.LOCATION)
    if number % 10 == 7:
        await robot.do("exception")
        await robot.choose(1)
        done = await robot.do("confirm")
        robot.saved(done, "MaterialShort", page.job, f"{page.quantity:f}")
        return done
    view = await _planned(robot, view, Kind.MATERIAL)
    await robot.expect("pick.quantity", view)
    if number % 5 == 2 and view.entry is not None:
        view = await robot.type(view.entry.value)
    done = await _planned(robot, view, Kind.HANDLING_UNIT)
    robot.saved(done, "MaterialMoved", page.job, f"{page.quantity:f}")
    return done


async def _planned(robot: Robot, view: View, kind: Kind) -> View:
    """Scan the label that the screen says it waits for."""
    label = next((each.label for each in view.expects if each.kind is kind and each.label), None)
    if label is None:
        raise Stuck(f"no {kind.value} to scan at {view.scenario}.{view.step}")
    return await robot.scan(label)


async def _disturb(plant: Plant, people: tuple[Robot, ...], told: Callable[[str], None]) -> Disturbances:
    """Kill the agent three times in mid-work, lose one reply, take the ERP away: each at a point of the work."""
    clock, dice = SystemClock(), random.Random(20261122)

    async def until(reports: int) -> None:
        while sum(person.reports for person in people) < reports:
            await clock.sleep_until(clock.monotonic() + 0.01)
        await clock.sleep_until(clock.monotonic() + dice.uniform(0.0, 0.1))

    async def kill() -> None:
        await plant.kill_agent()
        told("agent killed with SIGKILL")
        await plant.start_agent()

    async def away() -> None:
        await plant.erp_away()
        told(f"ERP away for {ERP_AWAY_SECONDS:.0f} s")
        await clock.sleep_until(clock.monotonic() + ERP_AWAY_SECONDS)
        await plant.erp_back()
        told("ERP back")

    await until(6)
    plant.network.lose_next_reply()
    await until(14)
    await kill()
    await until(22)
    gone = asyncio.create_task(away())
    await until(34)
    await kill()
    await until(52)
    await kill()
    await gone
    return plant.disturbances()
