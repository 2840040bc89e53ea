"""The pages of the documentation, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What is done and seen may stand within a numbered step; all else begins at the edge.
_FENCE = re.compile(
    r"^(?: +(?=```(?:sh|keys|screen|output)$))?```(\w*)[ ]?([^\n]*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind, what else stands behind the fence, its text, and the line it begins at."""

    kind: str
    more: str
    text: str
    line: int

    @property
    def lines(self) -> list[str]:
        """Its lines, without the empty ones."""
        return [row for row in self.text.splitlines() if row.strip()]


def pages() -> list[Path]:
    """Every page for people: those of the root and of docs."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = path.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Block(found[1], found[2].strip(), found[3], text.count("\n", 0, found.start()) + 1)


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def links(path: Path) -> list[str]:
    """Where the links of a page lead."""
    return _LINK.findall(prose(path))


def anchors(path: Path) -> set[str]:
    """The headings of a page as links name them.

    Letters, digits, dashes and underscores stay, spaces become dashes.
    """
    slugs = (re.sub(r"[^\w\- ]", "", heading.lower()).strip() for heading in _HEADING.findall(prose(path)))
    return {slug.replace(" ", "-") for slug in slugs}
