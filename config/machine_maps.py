"""Machine maps: what the registers or nodes of a machine model mean, as data.

A map is a TOML file: the points of the model as options of its driver, and which of them are state,
count and alarm. Those that are shipped stand in `config/machine_maps`; a folder `machine_maps` beside
the site file holds a site's own and is looked into first. `config.expanding` puts them into a site file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from config.checking import Checker, OptionTypes, convert
from config.packml import UnitMode, UnitState
from config.problems import ConfigError, Problem
from config.settings import Equipment
from config.wording import did_you_mean, toml

SHIPPED = Path(__file__).with_name("machine_maps")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)(?: *\+ *([0-9]+))?\}")

Text = Annotated[str, Meta(min_length=1)]


class Parameter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What differs from machine to machine of one model; a device says it under `parameters`."""

    what: Annotated[Text, Meta(description="what it is, for whoever writes a site file")]
    kind: Annotated[Literal["text", "number"], Meta(description="what it can be")] = "text"
    default: Annotated[
        str | int | None,
        Meta(description="its value when the site file says none; {base + 70}: that of one above it, and so many"),
    ] = None
    example: Annotated[
        str | int | None, Meta(description="a value to learn from, when there is no default")
    ] = None

    def __post_init__(self) -> None:
        for key in ("default", "example"):
            if (value := getattr(self, key)) is not None and not self.fits(value):
                if key == "default" and self.follows(value):
                    continue
                raise ValueError(f"{key} {toml(value)} is not a {self.kind}")
        if self.default is None and self.example is None:
            raise ValueError("needs a `default`, or an `example` to learn from")

    def follows(self, value: object) -> bool:
        """Whether the value is the number of another parameter and so many."""
        return self.kind == "number" and isinstance(value, str) and _PLACE.fullmatch(value) is not None

    def fits(self, value: object) -> bool:
        """Whether the value is of the parameter's kind."""
        return isinstance(value, int if self.kind == "number" else str) and not isinstance(value, bool)


class Meaning(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which points say what of a machine: as `[[equipment]]` in a site file says it."""

    state: str = ""
    state_within: tuple[str, ...] = ()
    states: dict[str, UnitState] = field(default_factory=dict)
    count: str = ""
    counts: Literal["good", "all"] = "good"
    scrap_count: str = ""
    count_width: Annotated[int, Meta(ge=8, le=64)] | None = None
    count_modulus: Annotated[int, Meta(ge=100, le=10**18)] | None = None
    mode: str = ""
    modes: dict[str, UnitMode] = field(default_factory=dict)
    alarm: str = ""
    alarms: dict[str, str] = field(default_factory=dict)
    show: tuple[str, ...] = ()
    units: dict[str, str] = field(default_factory=dict)

    def items(self) -> Iterator[tuple[str, str]]:
        """Every item that is named, with its key."""
        for key in ("state", "count", "scrap_count", "mode", "alarm"):
            if item := getattr(self, key):
                yield key, item
        yield from ((f"state_within[{n}]", item) for n, item in enumerate(self.state_within))
        yield from ((f"show[{n}]", item) for n, item in enumerate(self.show))
        yield from ((f"units.{item}", item) for item in self.units)


class MachineMap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One machine model. `options` are options of its driver; in their texts stands `{name}` for a
    parameter, or `{name + 72}` for a number and so many. `example` is what a site file has to add."""

    title: Annotated[Text, Meta(description="what it is, in a line")]
    maker: Annotated[Text, Meta(description="who makes the machine, or the standard")]
    model: Annotated[Text, Meta(description="the models it is for")]
    document: Annotated[Text, Meta(description="what it was read from")]
    verified: Annotated[Text, Meta(description="what was checked, and against what")]
    driver: Annotated[Text, Meta(description="the driver that speaks its protocol")]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    example: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any]
    expect: Annotated[
        dict[str, list[str | int]], Meta(description="what points read when the map fits the machine")
    ] = field(default_factory=dict)
    equipment: Meaning = Meaning()

    @property
    def points(self) -> tuple[str, ...]:
        """The names of its points, in their order."""
        return tuple(point_names(self.options))


def map_names(folder: Path | None = None) -> tuple[str, ...]:
    """The maps there are, sorted: those that are shipped and those beside a site file in `folder`."""
    found = (path.stem for place in _places(folder) for path in place.glob("*.toml"))
    return tuple(sorted({name for name in found if _NAME.fullmatch(name)}))


def find_map(name: str, folder: Path | None = None) -> Path | None:
    """The file of a map; None when there is none of that name."""
    if not _NAME.fullmatch(name):
        return None
    return next((path for place in _places(folder) if (path := place / f"{name}.toml").is_file()), None)


def load_map(path: Path, options: OptionTypes) -> MachineMap:
    """Read a map. Raises ConfigError with every problem there is."""
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            [Problem(str(path), "", f"can not be read: {error}", "a machine map in UTF-8")]
        ) from error
    return parse_map(text, file=str(path), options=options)


def parse_map(text: str, *, file: str, options: OptionTypes) -> MachineMap:
    """As `load_map`, from text; `file` is its name in problems."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Problem(file, "", f"not TOML: {error}")]) from error
    checker = Checker(file, options)
    checker.check(table, MachineMap)
    if not checker.problems:
        found: MachineMap = convert(table, MachineMap)
        _check_driver(found, options, checker)
        _check_places(found, checker)
        _check_meaning(found, checker)
    if not checker.problems:
        _check_options(found, options, checker)
    if checker.problems:
        raise ConfigError(checker.problems)
    return found


def filled(options: Any, values: Mapping[str, str | int]) -> Any:
    """Options with the parameters in their places.

    >>> filled({"node": "{root};s=A", "at": "{base + 2}"}, {"root": "ns=2", "base": 40000})
    {'node': 'ns=2;s=A', 'at': 40002}
    """
    if isinstance(options, Mapping):
        return {key: filled(value, values) for key, value in options.items()}
    if isinstance(options, list | tuple):
        return [filled(value, values) for value in options]
    if not isinstance(options, str):
        return options
    if whole := _PLACE.fullmatch(options):
        return _put(whole, values)
    return _PLACE.sub(lambda place: str(_put(place, values)), options)


def point_names(options: Any) -> Iterator[str]:
    """The names of the points that options hold, as far as they can be told."""
    points = options.get("points") if isinstance(options, Mapping) else None
    for point in points if isinstance(points, list | tuple) else ():
        if isinstance(point, Mapping) and isinstance(name := point.get("name"), str):
            yield name


def _places(folder: Path | None) -> tuple[Path, ...]:
    return (folder / "machine_maps", SHIPPED) if folder else (SHIPPED,)


def _put(place: re.Match[str], values: Mapping[str, str | int]) -> str | int:
    value = values[place[1]]
    return value + int(place[2]) if place[2] and isinstance(value, int) else value


def _check_driver(found: MachineMap, options: OptionTypes, checker: Checker) -> None:
    if options.find("driver", found.driver) is None:
        names = options.names("driver")
        what = f"there is no driver {toml(found.driver)}{did_you_mean(found.driver, names)}"
        checker.say("driver", what, ", ".join(names))


def _check_places(found: MachineMap, checker: Checker) -> None:
    """A parameter that is nowhere used, one that is not there, and text that is to be added to."""
    used: set[str] = set()
    for key, text in _texts(found.options, "options"):
        for place in _PLACE.finditer(text):
            used.add(place[1])
            parameter = found.parameters.get(place[1])
            if parameter is None:
                what = f"{{{place[1]}}} is no parameter{did_you_mean(place[1], found.parameters)}"
                checker.say(key, what, ", ".join(found.parameters) or "no parameter is defined")
            elif place[2] and parameter.kind != "number":
                checker.say(key, f"{place[1]} is a text: nothing can be added to it", "a number")
    above: set[str] = set()
    for name, one in found.parameters.items():
        if one.follows(one.default):
            (root,) = (place[1] for place in _PLACE.finditer(str(one.default)))
            used.add(root)
            if root not in above:
                what = f"{{{root}}} is no number of a parameter above it"
                checker.say(f"parameters.{name}.default", what, ", ".join(sorted(above)))
        above |= {name} if one.kind == "number" else set()
    for name in found.parameters.keys() - used:
        checker.say(f"parameters.{name}", "is nowhere used in options")


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _texts(part, f"{key}.{name}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(part, f"{key}[{index}]")


def _check_meaning(found: MachineMap, checker: Checker) -> None:
    for key, item in found.equipment.items():
        if item not in found.points:
            what = f"there is no point {toml(item)}{did_you_mean(item, found.points)}"
            checker.say(f"equipment.{key}", what, ", ".join(found.points))
    for item in sorted(found.expect.keys() - set(found.points)):
        what = f"there is no point {toml(item)}{did_you_mean(item, found.points)}"
        checker.say(f"expect.{item}", what, ", ".join(found.points))
    for item in sorted(found.equipment.units.keys() - set(found.equipment.show)):
        checker.say(f"equipment.units.{item}", "is not in `show`")


def _check_options(found: MachineMap, options: OptionTypes, checker: Checker) -> None:
    """Whether the driver takes the points, with the examples where a site file says its own."""
    told: dict[str, str | int] = {}
    for name, one in found.parameters.items():
        told[name] = filled(one.example if one.default is None else one.default, told)
    kind = options.find("driver", found.driver)
    checker.check(found.example | filled(found.options, told), kind, "options")


def as_table(meaning: Meaning, left_out: Collection[str] = ()) -> dict[str, Any]:
    """What a map says of a machine, as its `[[equipment]]` would; nothing of points that are left out.

    Only the state stays, so that a machine without one is told.
    """
    said = msgspec.to_builtins(meaning)
    known = {one.encode_name for one in msgspec.structs.fields(Equipment)}
    for key in ("count", "scrap_count", "mode", "alarm"):
        said[key] = "" if said[key] in left_out else said[key]
    said["show"] = [item for item in said["show"] if item not in left_out]
    said["units"] = {item: unit for item, unit in said["units"].items() if item not in left_out}
    return {key: value for key, value in said.items() if key in known and value not in ("", None, [], {})}
