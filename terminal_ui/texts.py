"""Message codes to words, in the language of the terminal.

One TOML file a language in `texts/`; a code is a dotted path (`pick.go`), `{name}` in the words is a
parameter, `[...]` is left out when a parameter in it is empty, and `{name:stop|stops}` is the first word
when the parameter is 1, else the second. A code without words shows itself
and its parameters: ugly, but nothing is hidden. Values are data: they are put in as they are, made
safe to print, and never looked at again for `{}`.
"""

from __future__ import annotations

import functools
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from edge_agent.display import display_safe

FOLDER = Path(__file__).parent / "texts"
DEFAULT = "en"
_PARAM = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"\{(\w+)[}:]")
_PLURAL = re.compile(r"\{(\w+):([^{}|]*)\|([^{}|]*)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_VALUE_LIMIT = 80
_WORD_PARAMS = {
    "status": "word",
    "list": "word",
    "what": "word",
    "got_kind": "kind",
    "expected_kinds": "kind",
    "action": "action",
    "right": "right",
    "who_may": "role",
}


class Texts:
    """The words of one language; what it lacks is taken from English."""

    def __init__(self, language: str = DEFAULT) -> None:
        self.language = language
        self._words = {**load(DEFAULT), **(load(language) if language in languages() else {})}

    def __contains__(self, code: str) -> bool:
        return code in self._words

    def say(self, code: str, params: Mapping[str, str] | None = None) -> str:
        """The words of a code with its parameters put in; one safe line."""
        given = params or {}
        template = self._words.get(code)
        if template is None:
            told = "  ".join(f"{name}={display_safe(value, _VALUE_LIMIT)}" for name, value in given.items())
            return display_safe(f"{code}  {told}".strip())

        def value(match: re.Match[str]) -> str:
            name = match[1]
            return self._value(name, given[name]) if name in given else match[0]

        def plural(match: re.Match[str]) -> str:
            return match[2] if given.get(match[1]) == "1" else match[3]

        def optional(match: re.Match[str]) -> str:
            return match[1] if all(given.get(name) for name in _NAME.findall(match[1])) else ""

        return _PARAM.sub(value, _PLURAL.sub(plural, _OPTIONAL.sub(optional, template)))

    def word(self, group: str, value: str) -> str:
        """The word for a value of a small set (`word("state", "lost")`), else the value itself."""
        return self._words.get(f"{group}.{value}") or display_safe(value, _VALUE_LIMIT)

    def action(self, name: str, scenario: str = "", short: bool = False) -> str:
        """The word of an action; a flow may have its own, and a handheld shorter ones."""
        groups = [f"{scenario}_short", "action_short"] if short else []
        found = (self._words.get(f"{group}.{name}") for group in (*groups, f"{scenario}_action", "action"))
        return next((word for word in found if word), display_safe(name, _VALUE_LIMIT))

    def _value(self, name: str, value: str) -> str:
        group = _WORD_PARAMS.get(name)
        if group is None:
            return display_safe(value, _VALUE_LIMIT)
        words = [self.word(group, part) for part in value.split(",")]
        if group != "kind" or len(words) < 2:
            return ", ".join(words)
        return f"{', '.join(words[:-1])} {self.word('kind', 'or')} {words[-1]}"


def languages() -> tuple[str, ...]:
    """The languages there are words for."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@functools.cache
def load(language: str) -> Mapping[str, str]:
    """All words of one language file, by dotted code."""
    with (FOLDER / f"{language}.toml").open("rb") as file:
        return MappingProxyType(dict(_flat("", tomllib.load(file))))


def _flat(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in table.items():
        pairs += (
            _flat(f"{prefix}{name}.", value) if isinstance(value, dict) else [(prefix + name, str(value))]
        )
    return pairs


def chosen_language(asked: str | None, environ: Mapping[str, str] | None = None) -> str:
    """The language asked for, else that of the locale, else English.

    >>> chosen_language(None, {"LANG": "de_AT.UTF-8"}), chosen_language(None, {"LANG": "C"})
    ('de', 'en')
    """
    env = os.environ if environ is None else environ
    locale = env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG") or ""
    wanted = asked or re.split(r"[_.@]", locale)[0]
    return wanted if wanted in languages() else DEFAULT
