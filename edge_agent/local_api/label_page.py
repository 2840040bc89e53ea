"""A page of labels to print: each as a QR code with its text in words below."""

from __future__ import annotations

import html
import io
from collections.abc import Iterable, Sequence

import segno

from edge_agent.display import display_safe
from edge_agent.planbook import PlanBook
from edge_agent.scanning.labels import label_or_none
from edge_agent.views import Kind
from edge_agent.views.labels import LabelRow
from edge_agent.views.status import EquipmentStatus

COMMANDS = (
    "confirm", "back", "list", "exception", "park", "undo", "sign_off", "help", "queue", "report", "scrap", "finish",
    "machines", "request", "work", "downtime", "link", "exceptions", "resend", "correct", "hand_over", "acknowledge",
)  # fmt: skip

_NUMBERS = range(1, 10)  # what one digit chooses

_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Floorhand labels</title>
<style>body{font:14px sans-serif;margin:1cm}h2{break-after:avoid}
.l{display:inline-block;width:5.2cm;margin:.25cm;padding:.2cm;border:1px dashed #999;text-align:center}
.l{break-inside:avoid}.l svg{width:3.2cm;height:3.2cm}.l b{display:block;font-size:16px}
.l i{display:block;color:#444;font-style:normal}</style>
"""


def label_rows(book: PlanBook, machines: Sequence[EquipmentStatus] = ()) -> tuple[LabelRow, ...]:
    """Every label of the machines and the plans but badges: a badge is handed out by whoever knows the person."""
    things: list[tuple[Kind, str, str]] = [
        (Kind.COMMAND, name.upper(), name.replace("_", " ")) for name in COMMANDS
    ]
    things += [(Kind.COMMAND, f"CHOOSE-{number}", f"number {number}") for number in _NUMBERS]
    things += [(Kind.WORKSTATION, each.id, each.name) for each in machines]
    things += [(Kind.REASON, each.id, f"{each.purpose}: {each.text}") for each in book.reasons]
    things += [(Kind.LOCATION, id, unit.description) for id, unit in book.locations.items()]
    things += [(Kind.HANDLING_UNIT, id, unit.description) for id, unit in book.handling_units.items()]
    things += [(Kind.JOB, id, job.description) for id, job in book.jobs.items()]
    return tuple(
        LabelRow(kind, text, words) for kind, id, words in things if (text := label_or_none(kind, id))
    )


def page(rows: Iterable[LabelRow]) -> str:
    """The labels as one HTML page without anything from elsewhere."""
    out, heading = io.StringIO(), None
    out.write(_HEAD)
    for row in rows:
        if row.kind is not heading:
            heading = row.kind
            out.write(f"<h2>{heading.value.replace('_', ' ')}</h2>\n")
        code = segno.make_qr(row.text, error="m").svg_inline(scale=4, border=2)
        words, text = html.escape(display_safe(row.words)), html.escape(display_safe(row.text))
        out.write(f'<div class="l">{code}<b>{text}</b><i>{words}</i></div>\n')
    return out.getvalue()
