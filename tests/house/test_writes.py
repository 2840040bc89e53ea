"""Nothing but the write gate can write to a machine: every way to a library write, or to a frame that writes,
is followed back through the whole product, by name, and ends in `edge_agent/machine_writes.py`.

A chain of names: each may be mentioned only where the one before it is defined. A name that is built at run
time would escape; so the chain uses names that nothing else has, and no text of the product holds one.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

import pytest
from asyncua.client.client import Client
from asyncua.client.ua_client import UaClient, UASocketProtocol
from asyncua.client.ua_session import UaSession
from asyncua.common.node import Node
from asyncua.common.subscription import Subscription

from device_drivers.modbus.frames import FUNCTIONS
from tests.house.sources import Source, dotted, product

# The other side of the wire: processes of their own that the product never imports.
SIMULATORS = "device_drivers/simulators/"

# What asyncua and pymodbus have for writing, and calling, which may change as much (asyncua 2.1, pymodbus 3.16).
LIBRARY_WRITES = {
    "write_value", "write_values", "write_attribute", "write_attributes", "set_value", "set_values",
    "set_data_value", "set_writable", "set_read_only", "call_method", "WriteParameters", "WriteValue",
    "write_params", "HistoryUpdateParameters", "history_update", "add_nodes", "delete_nodes", "write_coil",
    "write_coils", "write_register", "write_registers", "mask_write_register", "readwrite_registers",
    "write_file_record", "WriteRequest", "CallMethodRequest", "send_request", "add_references", "delete_references",
    "add_reference", "delete_reference", "DeleteNodesItem", "AddNodesItem",
}  # fmt: skip

# The room of asyncua, and all that it may use of the library's objects: whatever else they have (`call` of a method
# starts a machine, `write`, requests of one's own) is not for it. Of both lists nothing may be missing or too much.
OPCUA_ROOM = "device_drivers/opcua/wire/"
OPCUA_OBJECTS = (Client, UaClient, UASocketProtocol, UaSession, Node, Subscription)
OPCUA_USED = {
    "connect", "connect_sessionless", "connect_socket", "disconnect", "get_children_descriptions", "get_endpoints",
    "get_namespace_array", "get_node", "init", "notify_transport_lost", "publish_callback", "read_attributes",
    "read_browse_name", "read_data_type_as_variant_type", "server_url", "set_overflow_disconnect_handler",
    "set_password", "set_security", "set_user", "subscribe_data_change", "translate_browsepaths",
    "update",  # of a set; a subscription of the library has the name too
    "write_attributes",  # the one write: see CHAIN
}  # fmt: skip
OPCUA_TYPES = {
    "BrowsePathResult", "CreateSubscriptionParameters", "DataChangeNotification", "DataValue", "Double",
    "EndpointDescription", "MessageSecurityMode", "MonitoredItemNotification", "NodeClass", "NodeId",
    "PublishResult", "QualifiedName", "ReferenceDescription", "RelativePath", "RelativePathElement", "StatusCode",
    "Variant", "VariantType",
}  # fmt: skip

# Name -> the only (file, function) that may mention it; "" is the head of a file: its imports and constants.
CHAIN: dict[str, set[tuple[str, str]]] = {
    # OPC UA: the library's write, in a method of the wire, which the driver calls.
    "write_attributes": {("device_drivers/opcua/wire/__init__.py", "write_point")},
    "write_point": {("device_drivers/opcua/driver.py", "write_item")},
    # Modbus: requests that write are made in one function and sent by one method of the driver.
    "WriteRequest": {
        ("device_drivers/modbus/frames.py", ""),
        ("device_drivers/modbus/frames.py", "judge"),  # knows the answer of one
        ("device_drivers/modbus/writing.py", ""),
        ("device_drivers/modbus/writing.py", "plan_write"),
    },
    "plan_write": {
        ("device_drivers/modbus/driver.py", ""),
        ("device_drivers/modbus/driver.py", "write_item"),
    },
    # Both: drivers are asked by the devices of the agent, and those by the gate's edge, after the verdict.
    "write_item": {
        ("edge_agent/devices/kept_alive.py", "write_item"),
        ("edge_agent/machine_writes.py", "_sent"),
    },
    "_sent": {("edge_agent/machine_writes.py", "_carry_out")},
    "_carry_out": {("edge_agent/machine_writes.py", "ask")},
}


def test_no_other_write_of_a_library_is_known_to_the_product() -> None:
    found = {(source.path, name) for source, _, name in mentions() if name in LIBRARY_WRITES - CHAIN.keys()}
    assert found == set()


def test_the_room_of_opc_ua_uses_of_the_library_what_is_listed_and_nothing_else() -> None:
    room = [source for source in written_by_us() if source.path.startswith(OPCUA_ROOM)]
    assert len(room) >= 3
    assert {name for source in room for name in of_the_library(source)} == OPCUA_USED
    assert {name for source in room for name in types_of_opc_ua(source)} == OPCUA_TYPES
    assert [source.at(node) for source in room for node in reached_by_text(source)] == []


@pytest.mark.parametrize(
    "line",
    ["client.uaclient.call([m])", "go = node.call_method", "session.send_request(r)", "await node.write(1)",
     "protocol._send_request(r)", "client.uaclient.add_references(r)", "super().delete_references()"],
)  # fmt: skip
def test_the_list_of_the_room_sees_every_other_way_to_change_something(line: str) -> None:
    source = Source(f"{OPCUA_ROOM}x.py", line, ast.parse(f"async def go():\n  {line}"))
    assert {*of_the_library(source)} - OPCUA_USED, line


def test_the_list_of_the_room_sees_requests_and_names_made_at_run_time() -> None:
    source = Source(f"{OPCUA_ROOM}x.py", "", ast.parse("ua.CallRequest()\ngetattr(node, 'ca' + 'll')\nvars(ua)['x']"))
    assert {*types_of_opc_ua(source)} - OPCUA_TYPES == {"CallRequest"}
    assert len([*reached_by_text(source)]) == 2


@pytest.mark.parametrize("name", CHAIN)
def test_every_link_of_the_chain_is_held_by_the_one_before(name: str) -> None:
    holders = {(source.path, function) for source, function, said in mentions() if said == name}
    assert holders == CHAIN[name]


def test_no_text_of_the_product_holds_a_link_of_the_chain() -> None:
    """So that no getattr reaches one."""
    words = LIBRARY_WRITES | CHAIN.keys()
    found = [
        source.at(node) for source in written_by_us() for node in source.find(ast.Constant)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in words
    ]  # fmt: skip
    assert found == []


def test_reads_can_only_be_reads() -> None:
    """The other requests of Modbus take their function from the table of reads."""
    assert set(FUNCTIONS.values()) == {1, 2, 3, 4}
    for source in written_by_us():
        if not source.path.startswith("device_drivers/modbus/"):
            continue
        for _, node in inside(source):
            if isinstance(node, ast.Call) and dotted(node.func) == "Request":
                function = ast.unparse(node.args[1])
                assert function.startswith("FUNCTIONS[") or function == "whole.function", source.at(node)


def test_only_the_wire_puts_bytes_on_a_modbus_line() -> None:
    """And it takes them from the two functions that make frames of requests."""
    sending = {
        (source.path, function, dotted(node.func))
        for source in written_by_us() if source.path.startswith("device_drivers/modbus/")
        for function, node in inside(source)
        if isinstance(node, ast.Call) and dotted(node.func).endswith((".write", ".writelines", ".send", ".sendall"))
    }  # fmt: skip
    assert sending == {("device_drivers/modbus/wire.py", "_wait", "self._transport.write")}
    waits = [
        ast.unparse(node.args[0]) for source in written_by_us() if source.path == "device_drivers/modbus/wire.py"
        for _, node in inside(source) if isinstance(node, ast.Call) and dotted(node.func) == "self._wait"
    ]  # fmt: skip
    assert waits == ["tcp_frame(transaction, request)", "rtu_frame(request)"]


def test_a_verdict_stands_before_every_write() -> None:
    """In the gate's edge the task that writes is made after the journal has answered, and of its answer."""
    (edge,) = (source for source in written_by_us() if source.path == "edge_agent/machine_writes.py")
    (ask,) = (node for node in edge.find(ast.AsyncFunctionDef) if getattr(node, "name", "") == "ask")
    text = ast.unparse(ask)
    steps = ("await self._store.write(", "isinstance(admitted, Refused)", "return admitted", "self._carry_out(")
    assert [text.index(step) for step in steps] == sorted(text.index(step) for step in steps)
    (admission,) = (node for node in edge.find(ast.FunctionDef) if getattr(node, "name", "") == "_admission")
    assert "verdict = judge(" in ast.unparse(admission)


def test_the_proof_sees_what_it_looks_for() -> None:
    tree = ast.parse("import x\nclass A:\n  async def go(self):\n    await n.write_value(1)\n    return write_item")
    source = Source("edge_agent/x.py", "", tree)
    seen = {(function, name) for _, function, name in mentioned(source)}
    assert seen >= {("go", "write_value"), ("go", "write_item")}


@functools.cache
def offered() -> frozenset[str]:
    """What the objects of asyncua have, but for what every object of Python has."""
    return frozenset(name for kind in OPCUA_OBJECTS for name in dir(kind)) - frozenset(dir(object))


def of_the_library(source: Source) -> Iterator[str]:
    """The names of a file that an object of asyncua has."""
    return (name for _, _, name in mentioned(source) if name in offered())


def types_of_opc_ua(source: Source) -> Iterator[str]:
    """What a file takes of `asyncua.ua`: the requests are there."""
    return (
        node.attr for node in source.find(ast.Attribute)
        if isinstance(node, ast.Attribute) and dotted(node.value) == "ua"
    )  # fmt: skip


def reached_by_text(source: Source) -> Iterator[ast.AST]:
    """Where a name may be built at run time."""
    reaching = {"getattr", "attrgetter", "methodcaller", "vars", "__dict__", "__getattribute__", "eval", "exec"}
    return (
        node for node in source.find(ast.Name, ast.Attribute)
        if (isinstance(node, ast.Name) and node.id in reaching)
        or (isinstance(node, ast.Attribute) and node.attr in reaching)
    )  # fmt: skip


@functools.cache
def written_by_us() -> tuple[Source, ...]:
    """The product without its simulators, which it never imports."""
    ours = tuple(source for source in product() if not source.path.startswith(SIMULATORS))
    imports = [
        source.at(node) for source in ours for node in source.find(ast.ImportFrom)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("device_drivers.simulators")
        and node.module not in ("device_drivers.simulators.process", "device_drivers.simulators.shift")
    ]  # fmt: skip
    assert imports == []
    return ours


@functools.cache
def mentions() -> tuple[tuple[Source, str, str], ...]:
    """Every name that is used, not defined, in the product: where, and in which function."""
    return tuple(each for source in written_by_us() for each in mentioned(source))


def mentioned(source: Source) -> Iterator[tuple[Source, str, str]]:
    """The same for one file."""
    for function, node in inside(source):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name) | ast.alias(asname=str(name)):
                yield source, function, name
            case _:
                pass


def inside(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Every node with the name of the outermost function that it stands in, empty outside of any."""

    def walk(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            name = function
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not function:
                name = child.name
            yield name, child
            yield from walk(child, name)

    return walk(source.tree, "")
