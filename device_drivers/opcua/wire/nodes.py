"""From what a site file says to the nodes of a server, and back: namespaces by URI, paths from the root."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from asyncua import ua
from asyncua.client.client import Client

from device_drivers.contract import Misconfigured
from device_drivers.opcua.options import NodeRef, Point, node_text
from device_drivers.opcua.paths import Step, step_text
from device_drivers.opcua.values import Below, Change

ITEMS_PER_CALL = 500  # servers limit how many items one call may name

_WHOLE_PATH = 0xFFFFFFFF  # the server followed a path to its end (part 4, 5.9.4)
_CURRENT_TIME = 2258  # i=2258, Server_ServerStatus_CurrentTime (part 5)
_PRODUCT_NAME = 2261  # i=2261, Server_ServerStatus_BuildInfo_ProductName (part 5)
_ROOT = 84  # i=84, the root folder
_DOWNWARDS = 33  # i=33, HierarchicalReferences
_TRUE: Any = True  # the library wants a class of its own, which can not be made
_FALSE: Any = False


def product_name() -> ua.NodeId:
    """Where every server says what it is."""
    return _node(_PRODUCT_NAME, 0)


def current_time() -> ua.NodeId:
    """Where every server says what time it is."""
    return _node(_CURRENT_TIME, 0)


async def find(
    client: Client, points: Iterable[Point], namespaces: Sequence[str]
) -> tuple[dict[ua.NodeId, list[Point]], dict[Point, str]]:
    """The nodes of the points by today's namespace table, and the points that have none."""
    found: dict[ua.NodeId, list[Point]] = {}
    refused: dict[Point, str] = {}
    by_path: list[tuple[Point, ua.RelativePath]] = []
    for point in points:
        named = point.steps if point.path else (point.ref,)
        if strange := [step.uri for step in named if step.uri and step.uri not in namespaces]:
            there = ", ".join(namespaces)
            refused[point] = f"point {point.name!r}: it has no namespace {strange[0]!r}, but {there}"
        elif point.path:
            by_path.append((point, _relative(point.steps, namespaces)))
        else:
            ref = point.ref
            node = _node(ref.identifier, namespaces.index(ref.uri) if ref.uri else ref.index)
            found.setdefault(node, []).append(point)
    for start in range(0, len(by_path), ITEMS_PER_CALL):
        part = by_path[start : start + ITEMS_PER_CALL]
        results = await client.translate_browsepaths(_node(_ROOT, 0), [path for _, path in part])
        for (point, _), result in zip(part, results, strict=True):
            ends = _ends(result)
            if len(ends) == 1:
                found.setdefault(ends.pop(), []).append(point)
            else:
                why = "several nodes are" if ends else f"nothing is ({result.StatusCode.name})"
                refused[point] = f"point {point.name!r}: {why} at {point.path}"
    return found, refused


async def node_at(
    client: Client, endpoint: str, place: NodeRef | tuple[Step, ...], namespaces: Sequence[str]
) -> ua.NodeId:
    """The one node at a place, by today's namespace table. Raises Misconfigured when there is none."""
    for step in (place,) if isinstance(place, NodeRef) else place:
        if step.uri and step.uri not in namespaces:
            there = ", ".join(namespaces)
            raise Misconfigured(f"{endpoint} has no namespace {step.uri!r}, but {there}.")
    if isinstance(place, NodeRef):
        return _node(place.identifier, namespaces.index(place.uri) if place.uri else place.index)
    (result,) = await client.translate_browsepaths(_node(_ROOT, 0), [_relative(place, namespaces)])
    if len(ends := _ends(result)) != 1:
        what = "several nodes" if ends else f"nothing ({result.StatusCode.name})"
        raise Misconfigured(f"{endpoint} has {what} at this path.")
    return ends.pop()


def _relative(steps: Iterable[Step], namespaces: Sequence[str]) -> ua.RelativePath:
    """A path in the words of the protocol, downwards from the root."""
    return ua.RelativePath(
        Elements=[
            ua.RelativePathElement(
                ReferenceTypeId=_node(_DOWNWARDS, 0), IsInverse=_FALSE, IncludeSubtypes=_TRUE,
                TargetName=_name(step.name, namespaces.index(step.uri) if step.uri else step.index),
            )
            for step in steps
        ]
    )  # fmt: skip


def _ends(result: ua.BrowsePathResult) -> set[ua.NodeId]:
    """The nodes at the end of a path; an id that says its namespace twice is the same node."""
    whole = (each.TargetId for each in result.Targets if each.RemainingPathIndex == _WHOLE_PATH)
    return {_node(each.Identifier, each.NamespaceIndex) for each in whole}


def below_of(each: ua.ReferenceDescription, namespaces: Sequence[str], reading: Change | None) -> Below:
    """A node as the site file would name it."""

    def uri(index: int) -> str:
        return namespaces[index] if index < len(namespaces) else ""

    name, index, node = each.BrowseName.Name or "", each.BrowseName.NamespaceIndex, each.NodeId
    return Below(
        node_text(node.Identifier, uri(node.NamespaceIndex), node.NamespaceIndex),
        step_text(name, uri(index), index), name, each.NodeClass.name, reading,
    )  # fmt: skip


def _node(identifier: Any, index: Any) -> ua.NodeId:
    """A node id; Any, because the library wants its own subclasses of int and str, which it does not need."""
    return ua.NodeId(identifier, index)


def _name(name: Any, index: Any) -> ua.QualifiedName:
    """The same for a browse name."""
    return ua.QualifiedName(name, index)
