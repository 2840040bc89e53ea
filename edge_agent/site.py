"""The site file with the options of every driver and connector that is installed."""

from __future__ import annotations

import grp
from collections.abc import Iterator
from pathlib import Path

import config
import device_drivers
from edge_agent.machines.equipment import Equipment
from sync import connectors
from sync.ports import Connector


def option_types() -> config.OptionTypes:
    """What a site file may say about each driver and connector; a module is imported when it is named."""

    def driver(name: str) -> type | None:
        return device_drivers.load(name).Options if name in device_drivers.names() else None

    def connector(name: str) -> type | None:
        return connectors.load(name).Options if connectors.known(name) else None

    return config.OptionTypes(driver, device_drivers.names, connector, connectors.names)


def load_site(path: Path) -> config.Settings:
    """The settings of a site file. Raises config.ConfigError with every problem at once."""
    return config.load(path, option_types())


def build_connectors(settings: config.Settings, file: Path) -> dict[str, Connector]:
    """A connector for each of the site file; none has spoken yet. Raises config.ConfigError."""
    built: dict[str, Connector] = {}
    problems: list[config.Problem] = []
    for number, each in enumerate(settings.connectors):
        try:
            built[each.name] = connectors.load(each.driver).Connector(each.options, settings.site.agent)
        except ValueError as error:
            problems.append(config.Problem(str(file), f"connectors[{number}].options", str(error)))
    if problems:
        raise config.ConfigError(problems)
    return built


def advice(settings: config.Settings) -> tuple[tuple[str, str], ...]:
    """What works and could be better: what it is about, and what to do, in a sentence."""
    return (*_signing_on(settings), *_counting(settings))


def _signing_on(settings: config.Settings) -> Iterator[tuple[str, str]]:
    """A badge alone says which badge it was, not who held it: that is for what does little harm."""
    if not settings.terminals:
        return
    policies = settings.policies
    if bare := [role for role in ("lead", "admin") if role not in policies.pin_roles]:
        yield (
            "PINs",
            f"The badge alone is enough for what the role {' and the role '.join(bare)} may do, and a badge is copied "
            'in a moment. Set pin_roles = ["lead", "admin"] in [policies], and give each person who has such a role '
            "a start code (floorhand pin).",
        )
    if not policies.lock_after_seconds:
        yield (
            "locking",
            "Terminals never lock by themselves, so whoever comes next works in the name of whoever was there last. "
            "Set lock_after_seconds = 300 in [policies]: whoever scans the same badge again goes on at the same step.",
        )


def _counting(settings: config.Settings) -> tuple[tuple[str, str], ...]:
    return tuple(
        (
            each.name or each.id,
            f"[[equipment]] {each.id} has no `cycle_time`. Give the ideal seconds for one piece: the agent then knows "
            "how many parts are possible, and can tell a wrong reading of the counter from parts that were made.",
        )
        for each in settings.equipment if each.count and not each.cycle_time
    )  # fmt: skip


def check_places(settings: config.Settings, file: Path) -> None:
    """Whether this user could run the agent in its folders. Raises config.ConfigError."""
    if problems := config.place_problems(settings.site, str(file)):
        raise config.ConfigError(problems)


def check_group(settings: config.Settings, file: Path) -> None:
    """Whether there is the group that may open the socket. Raises config.ConfigError."""
    try:
        if name := settings.api.group:
            grp.getgrnam(name)
    except KeyError:
        words = f"there is no group {name!r} on this PC: make it, or name another one"
        raise config.ConfigError([config.Problem(str(file), "api.group", words)]) from None


def machine_of(each: config.Equipment) -> Equipment:
    """A machine of the site file, of which nothing was heard yet."""
    return Equipment(
        id=each.id, name=each.name, device=each.device, state=each.state, state_within=each.state_within,
        states=each.states, count=each.count, count_width=each.count_width or 32,
        count_modulus=each.count_modulus or 0, counts=each.counts, scrap_count=each.scrap_count,
        cycle_time=each.cycle_time, mode=each.mode, modes=each.modes, alarm=each.alarm, alarms=each.alarms,
        show=each.show, units=each.units,
    )  # fmt: skip
