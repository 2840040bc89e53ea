"""The rules of the house, as sentences. Each says where it is broken."""

from __future__ import annotations

import ast
import math
import re
import statistics
from collections.abc import Iterator

import pytest

from tests.house.sources import Source, dotted, imported, offenders, product, sources

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Who may catch everything: they restart, park or answer, and say so. Nobody else may.
CATCH_ALL = (
    "edge_agent/supervisor.py",
    "edge_agent/local_api/api.py",
    "edge_agent/store/database.py",  # its thread carries the error to whoever asked
    "sync/relay.py",
    "sync/puller.py",
)

# Who talks to a terminal by print: the command line, the demo and the simulators.
TALKERS = (
    "edge_agent/__main__.py",
    "edge_agent/command_line/agent_commands.py",
    "edge_agent/command_line/run.py",
    "edge_agent/command_line/device_verbs.py",
    "edge_agent/command_line/devices.py",
    "edge_agent/command_line/doctor_command.py",
    "edge_agent/command_line/restore.py",
    "edge_agent/demo/",
    "terminal_ui/__main__.py",
    "device_drivers/simulators/",
)

# Each library of the field and the one place that speaks it; simulators speak the other side.
SPOKEN_IN = {
    "pymodbus": ("device_drivers/modbus/serial_line.py", "device_drivers/simulators/"),
    "asyncua": ("device_drivers/opcua/wire/", "device_drivers/simulators/"),
    "serial": ("device_drivers/serial_scanner",),
    "biip": (),  # docs.gs1_table and the tests
}

LONGEST_FILE = 400
MEDIAN_FILE = 150
LONGEST_LOOK = 0.05  # seconds between two looks at a condition


def test_no_product_file_is_longer_than_400_lines() -> None:
    long = [f"{source.path}: {lines(source)} lines" for source in product() if lines(source) > LONGEST_FILE]
    assert long == []


def test_half_of_the_product_files_have_at_most_150_lines() -> None:
    assert statistics.median(lines(source) for source in product() if source.text) <= MEDIAN_FILE


def test_every_function_says_what_it_returns() -> None:
    def found(source: Source) -> Iterator[str]:
        for node in source.find(ast.FunctionDef, ast.AsyncFunctionDef):
            if isinstance(node, Function) and node.returns is None:
                yield f"{source.at(node)} {node.name}"

    assert offenders(found, among=(*product(), *sources("tests"))) == []


def test_every_module_and_every_public_name_has_a_docstring() -> None:
    def found(source: Source) -> Iterator[str]:
        if source.text.strip() and ast.get_docstring(source.tree) is None:
            yield source.path
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
                if ast.get_docstring(node) is None:
                    yield f"{source.at(node)} {node.name}"

    assert offenders(found, among=product()) == []


def test_no_test_sleeps_and_helpers_only_between_two_looks() -> None:
    def found(source: Source) -> Iterator[str]:
        is_test = source.path.rpartition("/")[2].startswith("test_")
        for node in source.find(ast.Call):
            if isinstance(node, ast.Call) and slept(node) > (0 if is_test else LONGEST_LOOK):
                yield source.at(node)

    assert offenders(found, among=sources("tests")) == [], "wait for an event or a condition, not for a guess"


def test_only_those_who_restart_park_or_answer_catch_everything() -> None:
    def found(source: Source) -> Iterator[str]:
        if not source.path.startswith(CATCH_ALL):
            for node in source.find(ast.ExceptHandler):
                if isinstance(node, ast.ExceptHandler) and catches_everything(node):
                    yield source.at(node)

    assert offenders(found, among=product()) == []


@pytest.mark.parametrize("library", SPOKEN_IN)
def test_a_library_of_the_field_is_spoken_in_one_place(library: str) -> None:
    def found(source: Source) -> Iterator[str]:
        for module, node in imported(source):
            if module.partition(".")[0] == library and not source.path.startswith(SPOKEN_IN[library]):
                yield source.at(node)

    assert offenders(found, among=product()) == []


def test_only_the_command_line_the_demo_and_the_simulators_print() -> None:
    def found(source: Source) -> Iterator[str]:
        if not source.path.startswith(TALKERS):
            for node in source.find(ast.Call):
                if isinstance(node, ast.Call) and dotted(node.func) == "print":
                    yield source.at(node)

    assert offenders(found, among=product()) == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    machine = re.compile("/" + "(work|root|home|Users)" + "/")

    def found(source: Source) -> Iterator[str]:
        for number, line in enumerate(source.text.splitlines(), 1):
            if machine.search(line):
                yield f"{source.path}:{number}"

    assert offenders(found, among=(*product(), *sources("tests", "docs", "bench"))) == []


def test_sqlite_is_never_mocked() -> None:
    def found(source: Source) -> Iterator[str]:
        for module, node in imported(source):
            if module.startswith("unittest.mock"):
                yield source.at(node)
        for node in source.find(ast.Call):
            if isinstance(node, ast.Call) and dotted(node.func).endswith(("setattr", "patch", "object")):
                if "sqlite" in ast.unparse(node):
                    yield source.at(node)

    assert offenders(found, among=sources("tests")) == []


def test_no_work_is_left_for_later_in_a_comment() -> None:
    later = re.compile(r"#.*\b(" + "TO" + "DO|FIX" + r"ME|XX" + r"X)\b")

    def found(source: Source) -> Iterator[str]:
        for number, line in enumerate(source.text.splitlines(), 1):
            if later.search(line):
                yield f"{source.path}:{number}"

    assert offenders(found, among=(*product(), *sources("tests", "docs", "bench"))) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("time.sleep(1)", 1),
        ("asyncio.sleep(0.1)", 0.1),
        ("asyncio.sleep(0)", 0),  # gives way, waits for nothing
        ("sleep(delay)", math.inf),
        ("clock.sleep_until(3)", 0),
        ("pilot.pause(0.1)", 0.1),
        ("pilot.pause()", 0),
    ],
)
def test_the_rule_on_sleep_knows_a_sleep(text: str, seconds: float) -> None:
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    assert slept(call) == seconds


@pytest.mark.parametrize(
    ("handler", "everything"),
    [
        ("except: pass", True),
        ("except Exception: pass", True),
        ("except Exception as error: raise RuntimeError from error", True),
        ("except (OSError, BaseException): pass", True),
        ("except BaseException: raise", False),
        ("except OSError: pass", False),
    ],
)
def test_the_rule_on_catching_knows_a_catch_all(handler: str, everything: bool) -> None:
    tree = ast.parse(f"try: pass\n{handler}")
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    assert [catches_everything(one) for one in found] == [everything]


def lines(source: Source) -> int:
    """The lines of a file."""
    return len(source.text.splitlines())


def slept(call: ast.Call) -> float:
    """The seconds that a call sleeps: 0 when it does not, infinite when they are not written down."""
    name = dotted(call.func)
    if name not in ("time.sleep", "asyncio.sleep", "anyio.sleep", "sleep") and not name.endswith("pilot.pause"):
        return 0
    match call.args:
        case []:  # until all that is on its way has come
            return 0
        case [ast.Constant(value=int() | float() as seconds)]:
            return seconds
        case _:
            return math.inf


def catches_everything(handler: ast.ExceptHandler) -> bool:
    """Whether an except clause takes every exception; one that ends by raising it again only passes by."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or dotted(kind) in ("Exception", "BaseException") for kind in kinds)
