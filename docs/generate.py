"""Writes what is generated: `make schema` runs it, a test fails when a file is stale."""

from __future__ import annotations

from pathlib import Path

from config.reference import reference
from config.schema import schema_file
from docs.commands import commands_page
from docs.faults import faults_page
from docs.flows import flows_page
from docs.gs1_table import table
from docs.keys import keys_page
from docs.machine_maps import machine_maps_page
from docs.reliability import reliability_page
from docs.roles import roles_page
from docs.routes import api_page
from edge_agent.site import option_types

ROOT = Path(__file__).resolve().parent.parent


def files() -> dict[Path, str]:
    """Every generated file with the text it must have."""
    options = option_types()
    pages = ROOT / "docs" / "reference"
    return {
        ROOT / "config" / "schema.json": schema_file(options),
        ROOT / "edge_agent" / "scanning" / "application_identifiers.json": table(),
        pages / "configuration.md": reference(options),
        pages / "commands.md": commands_page(),
        pages / "faults.md": faults_page(),
        pages / "keys.md": keys_page(),
        pages / "machine-maps.md": machine_maps_page(),
        pages / "flows.md": flows_page(),
        pages / "api.md": api_page(),
        ROOT / "docs" / "reliability.md": reliability_page(),
        pages / "roles.md": roles_page(),
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
