"""Profiles are data that fit, and the site file has the last word."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from device_drivers.scanners import profiles
from device_drivers.scanners.options import ScannerOptions


def options(**said: Any) -> ScannerOptions:
    return msgspec.convert(said, ScannerOptions)


def test_there_is_one_for_each_maker() -> None:
    assert profiles.names() == ("datalogic", "generic", "honeywell", "zebra")


@pytest.mark.parametrize("name", profiles.names())
def test_every_profile_can_be_named_in_a_site_file(name: str) -> None:
    spoken = options(profile=name).spoken
    assert spoken == profiles.profile(name)
    assert spoken.title


@pytest.mark.parametrize("name", sorted({*profiles.names()} - {"generic"}))
def test_a_maker_tells_good_bad_and_attention_apart(name: str) -> None:
    spoken = profiles.profile(name)
    answers = {spoken.good, spoken.bad, spoken.attention}
    assert len(answers) == 3
    assert "" not in answers


def test_nothing_is_sent_to_a_scanner_that_nobody_named() -> None:
    spoken = options().spoken
    assert (spoken.ack, spoken.nak, spoken.good, spoken.bad, spoken.attention) == ("", "", "", "", "")


def test_every_escape_command_of_honeywell_ends_in_its_comma() -> None:
    spoken = profiles.profile("honeywell")
    for answer in (spoken.good, spoken.bad, spoken.attention):
        commands = answer.split(",")
        assert commands.pop() == ""
        assert all(len(each) == 2 and each[0] == "\x1b" for each in commands)


def test_what_the_site_file_says_counts_more_than_the_profile() -> None:
    spoken = options(profile="zebra", mode="affix", prefix="~", suffix="#", aim=True, ack="\x06", bad="").spoken
    assert (spoken.prefix, spoken.suffix, spoken.aim, spoken.ack, spoken.bad) == ("~", "#", True, "\x06", "")
    assert spoken.good == profiles.profile("zebra").good


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"profile": "honywell"}, "there are: datalogic, generic, honeywell, zebra"),
        ({"profile": "../generic"}, "there is no scanner profile"),
        ({"good": "€"}, "characters up to"),
        ({"bad": "x" * 65}, "length <= 64"),
    ],
)
def test_what_can_not_be_is_refused_in_words(said: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        options(**said)
