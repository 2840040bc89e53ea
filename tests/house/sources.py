"""The source files of the house, parsed once."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("config", "device_drivers", "edge_agent", "sync", "terminal_ui")


@dataclass(frozen=True)
class Source:
    """One file: its path from the root, with slashes, and its text; its tree is that of the text when none is given."""

    path: str
    text: str
    given: ast.Module | None = None

    @functools.cached_property
    def tree(self) -> ast.Module:
        """Parsed when the first rule asks."""
        return self.given if self.given is not None else ast.parse(self.text)

    def find(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Every node of these kinds, kind by kind; a kind is one of the leaves of `ast`."""
        return (node for kind in kinds for node in self._nodes.get(kind, ()))

    @functools.cached_property
    def _nodes(self) -> dict[type[ast.AST], list[ast.AST]]:
        """Those of each kind: a dozen rules ask, and the tree is walked once."""
        nodes: dict[type[ast.AST], list[ast.AST]] = {}
        for node in ast.walk(self.tree):
            nodes.setdefault(type(node), []).append(node)
        return nodes

    def at(self, node: ast.AST) -> str:
        """Where a node stands, as editors understand it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@functools.cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file below these folders of the root."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple(_read(path) for path in paths)


def product() -> tuple[Source, ...]:
    """The five packages."""
    return sources(*PACKAGES)


def offenders(found: Callable[[Source], Iterator[str]], *, among: tuple[Source, ...]) -> list[str]:
    """The places that break a rule; the rule says where."""
    return [place for source in among for place in found(source)]


def dotted(node: ast.AST) -> str:
    """The dotted name of an expression, empty when it is none."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def imported(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """Every module that a file imports, by its full name."""
    for node in source.find(ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node


@functools.cache
def _read(path: Path) -> Source:
    return Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
