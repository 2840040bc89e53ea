"""The mirror: what it gives back after a power cut or a wrong bit anywhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.store.disk import Appended, SystemDisk
from edge_agent.store.mirror import Mirror
from edge_agent.store.mirror_lines import mark_of
from edge_agent.store.records import FIRST, Record, chained

AT = "2026-11-22T08:00:00.000001+00:00"
_TEXT = st.text(max_size=20)


def records(number: int, text: str = "Bolt [/M8]") -> list[Record]:
    made, previous = [], FIRST
    for seq in range(1, number + 1):
        happened = f"2026-11-22T0{seq % 9}:00:00.000000+00:00"
        payload = json.dumps({"t": f"{text}{seq}"})
        content = (seq, f"id-{seq}", "agent-1", happened, AT, 1, "T1", "P1", payload)
        made.append(chained(content, previous))
        previous = made[-1].hash
    return made


def written(folder: Path, made: list[Record], segment: int = 400) -> Mirror:
    mirror = Mirror(folder, segment)
    mirror.open()
    for start in range(0, len(made), 3):
        mirror.append(made[start : start + 3])
    mirror.close()
    return mirror


def opened(folder: Path) -> Mirror:
    mirror = Mirror(folder)
    mirror.open()
    return mirror


@given(text=_TEXT, number=st.integers(1, 20))
def test_what_was_written_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str, number: int) -> None:
    folder, made = tmp_path_factory.mktemp("mirror") / "mirror", records(number, text)
    written(folder, made)
    again = opened(folder)
    assert [line.content for line in again.lines()] == [record.content for record in made]
    assert again.last is not None
    assert (again.last.seq, again.last.mark) == (number, mark_of(made[-1].hash))


@given(data=st.data())
def test_a_cut_at_any_byte_leaves_whole_lines_and_goes_on(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder, made = tmp_path_factory.mktemp("mirror") / "mirror", records(12)
    written(folder, made)
    newest = max(folder.iterdir())
    before = sum(1 for path in folder.iterdir() if path != newest for _ in path.read_bytes().splitlines())
    os.truncate(newest, data.draw(st.integers(0, newest.stat().st_size)))
    again = opened(folder)
    left = [line.seq for line in again.lines()]
    assert left == list(range(1, len(left) + 1))
    assert len(left) >= before
    assert (again.last.seq if again.last else 0) == len(left)
    again.append(made[len(left) :])
    again.close()
    assert [line.content for line in opened(folder).lines()] == [record.content for record in made]


@given(data=st.data())
def test_a_wrong_bit_costs_its_line_alone(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder, made = tmp_path_factory.mktemp("mirror") / "mirror", records(12)
    written(folder, made, segment=10**6)
    (path,) = folder.iterdir()
    text = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(text)
    found = {line.seq: line.content for line in Mirror(folder).lines()}
    assert len(found) >= len(made) - 2  # two where the wrong bit joins them
    assert all(made[seq - 1].content == content for seq, content in found.items())


def test_old_files_go_and_the_last_stays(tmp_path: Path) -> None:
    mirror = written(tmp_path / "mirror", records(30))
    assert mirror.forget(20, bytes(32)) > 0
    left = [line.seq for line in mirror.lines()]
    assert left[0] <= 21
    assert left[-1] == 30
    mirror.forget(1000, bytes(32))
    assert [*mirror.lines()][-1].seq == 30


def test_only_this_user_may_read_it(tmp_path: Path) -> None:
    written(tmp_path / "mirror", records(3))
    (path,) = (tmp_path / "mirror").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_line_that_a_power_cut_spoiled_among_others_is_written_again(tmp_path: Path) -> None:
    made = records(6)
    mirror = written(tmp_path / "mirror", made, segment=10_000)
    (path,) = (tmp_path / "mirror").iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = bytes(len(lines[3]))  # a sector that never arrived; those behind it did
    path.write_bytes(b"".join(lines))
    mirror.open()
    assert mirror.last is not None
    assert (mirror.last.seq, mirror.reached) == (6, 3)
    mirror.append(made[3:])
    assert {line.seq: line.content for line in mirror.lines()} == {each.seq: each.content for each in made}
    mirror.open()
    assert (mirror.last.seq, mirror.reached) == (6, 6)
    mirror.close()


class _Stubborn(SystemDisk):
    """Takes half of what is written, once, and does not take it back."""

    def __init__(self) -> None:
        self.times = 1

    def append(self, path: Path) -> Appended:
        file, disk = super().append(path), self
        whole = file.write

        class Half:
            size, sync, close = property(lambda self: file.size), staticmethod(file.sync), staticmethod(file.close)

            def write(self, text: bytes) -> None:
                if not disk.times:
                    return whole(text)
                disk.times -= 1
                whole(text[: len(text) // 2])
                raise OSError(28, "No space left on device")

            def cut(self, size: int) -> None:
                raise OSError(5, "Input/output error")

        return cast(Appended, Half())


def test_a_half_line_that_can_not_be_taken_back_spoils_no_other(tmp_path: Path) -> None:
    made = records(3)
    mirror = Mirror(tmp_path / "mirror", disk=_Stubborn())
    mirror.open()
    with pytest.raises(OSError, match="No space left"):
        mirror.append(made[:1])
    mirror.append(made)
    mirror.close()
    assert [line.content for line in opened(tmp_path / "mirror").lines()] == [each.content for each in made]
