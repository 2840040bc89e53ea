"""The table of GS1 application identifiers, from the one that biip ships: `make schema` writes it.

A format is kept as GS1 writes it, less the digits of the identifier itself and the plus signs. Where the
standard says more in its text than in its format, the closer format stands here.
"""

from __future__ import annotations

import json

from biip.gs1_application_identifiers import _GS1_APPLICATION_IDENTIFIERS, GS1ApplicationIdentifier

IDENTIFIERS = _GS1_APPLICATION_IDENTIFIERS  # by code; biip has no public name for all of them

_CLOSER = {
    **dict.fromkeys(("423", "425"), "N3 [N3] [N3] [N3] [N3]"),  # one to five countries
    **dict.fromkeys(("4307", "4317"), "A2"),  # a country
    **dict.fromkeys(("4321", "4322", "4323"), "B1"),  # no or yes
    "7258": "N1 / N1",  # the first of twins
    "8003": "0 N13 [X..16]",
    "8008": "N8 [N2 [N2]]",  # with minutes, with seconds
    "8010": "Y5..30",
    "8043": "N18..20",
}


def table() -> str:
    """The text of the file: one identifier a line, with format, whether an FNC1 must end it, and title."""
    rows = {
        code: [notation(one), one.separator_required, one.data_title] for code, one in IDENTIFIERS.items()
    }
    lines = (f"{json.dumps(code)}: {json.dumps(row, ensure_ascii=False)}" for code, row in rows.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def notation(one: GS1ApplicationIdentifier) -> str:
    """The format of its value.

    >>> notation(IDENTIFIERS["253"]), notation(IDENTIFIERS["3910"])
    ('N13 [X..17]', 'N3 N..15')
    """
    _, _, format = one.format.partition("+")
    return _CLOSER.get(one.ai, format.replace("[+", " [").replace("+", " "))
