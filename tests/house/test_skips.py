"""A tool that is missing skips a test on a PC and fails it on a build server."""

from __future__ import annotations

import pytest

from tests.support.optional import need


def test_a_tool_that_is_there_is_found() -> None:
    assert need("sh").endswith("/sh")


def test_a_missing_tool_skips_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt install no-such-tool"):
        need("no-such-tool")


def test_a_missing_tool_fails_where_all_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-tool is not installed"):
        need("no-such-tool")
