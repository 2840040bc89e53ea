"""What is generated from the types is up to date, and says what the types say."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import jsonschema_rs
import pytest

from config.schema import json_schema
from docs.generate import ROOT, files
from tests.config.sites import OPTIONS, site


def test_no_generated_file_is_stale() -> None:
    stale = [path.name for path, text in files().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make schema`"


def test_the_example_fits_the_schema() -> None:
    schema = json.loads((ROOT / "config" / "schema.json").read_text())
    jsonschema_rs.meta.validate(schema)
    jsonschema_rs.validate(schema, tomllib.loads((ROOT / "config" / "site.example.toml").read_text()))


@pytest.mark.parametrize(
    ("part", "value"),
    [("host", None), ("port", 0), ("wether", "fine"), ("points", [])],
)
def test_the_schema_knows_the_options_of_the_driver_that_is_named(part: str, value: Any) -> None:
    table, schema = site(), json_schema(OPTIONS)
    jsonschema_rs.validate(schema, table)
    table["devices"][0]["options"][part] = value
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validate(schema, table)
