"""The page of faults: what each kind of device may do wrong, from the partners of the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping

from tests.contract.driver_partners import partner_class, partner_names
from tests.contract.faults import FAULTS

_HEAD = """\
# Faults that every driver is tested with

Every driver runs as it does in the agent, beside a healthy device, while its partner does wrong. In each field marked
`lost` or `goes on` the law is the same: nothing wrong or old is ever Good; where the device is lost, all its values
are Bad within its time-out, with words that say why; the device beside it does not notice; it comes back by itself;
no socket and no task is left. `tests/contract` plays them; this page is generated from its partners.

"""


def faults_page() -> str:
    """docs/reference/faults.md."""
    names = partner_names()
    kinds = {name: kind for name in names if (kind := partner_class(name))}
    rows = [
        "| fault | " + " | ".join(f"`{name}`" for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for fault, words in FAULTS.items():
        cells = [_cell(fault, kind.meets) for kind in kinds.values()]
        rows.append(f"| **{fault}**: {words} | " + " | ".join(cells) + " |")
    spared = [
        f"* `{name}`, {fault}: {why}." for name, kind in kinds.items() for fault, why in sorted(kind.spared.items())
    ]
    return _HEAD + "\n".join(rows) + "\n\n## Faults that a device can not have\n\n" + "\n".join(spared) + "\n"


def _cell(fault: str, meets: Mapping[str, str]) -> str:
    words = meets.get(fault)
    return "-" if words is None else "lost" if words else "goes on"
