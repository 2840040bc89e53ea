"""A look at the second copy while the agent works: a line that rotted is written again while the journal has its row.

In steps, file by file. A file is replaced as a whole, by one that has its good lines and those that were missing, in
order. Where it is the row that rotted, its file stays as it is, and the damage is told.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from edge_agent.store.database import Connection
from edge_agent.store.mirror import Mirror
from edge_agent.store.mirror_lines import Mirrored, line_of, mark_of, read_line
from edge_agent.store.records import AS_BYTES, after, is_whole
from edge_agent.store.retention import base_of

_LINE = 512  # bytes that a line is shorter than, most often


@dataclass(frozen=True, slots=True)
class MirrorRound:
    """How far a look has come: `at` bytes into the file of that number, every line up to `seq` seen in it.

    `bad`: something in this file is not as it should be. `mended`: lines that were written again. `over`: all was seen.
    `wrong` says what is wrong with the journal itself, in words: nothing is written again then.
    """

    file: int = 0
    at: int = 0
    seq: int = 0
    bad: bool = False
    mended: int = 0
    over: bool = False
    wrong: str = ""


def mirror_stepped(conn: Connection, mirror: Mirror, now: MirrorRound, limit: int) -> MirrorRound:
    """The same round after a look at about `limit` lines more; in the thread of the database. Raises OSError."""
    files = mirror.files()
    if now.file >= len(files):
        return MirrorRound(mended=now.mended, over=True)
    file, first, last = files[now.file]
    base = base_of(conn).seq
    part = mirror.disk.part(file, now.at, limit * _LINE)
    whole = part[: part.rfind(b"\n") + 1]
    seq, bad = max(now.seq, first - 1, base), now.bad
    if whole:
        for line in io.BytesIO(whole):
            told = read_line(line)
            bad = bad or told is None or told.seq > seq + 1 or not _as_kept(conn, told, base)
            seq = max(seq, told.seq) if told is not None else seq
        return MirrorRound(now.file, now.at + len(whole), seq, bad, now.mended)
    if bad or part or seq < last:
        return _written_again(conn, mirror, now, base)
    return MirrorRound(now.file + 1, mended=now.mended)


def _as_kept(conn: Connection, line: Mirrored, base: int) -> bool:
    """Whether the journal says the same of the fact, or nothing, because it left."""
    if line.seq <= base:
        return True
    row = conn.execute("SELECT hash FROM journal WHERE seq = ?", (line.seq,)).fetchone()
    return row is not None and mark_of(row[0]) == line.mark


def _written_again(conn: Connection, mirror: Mirror, now: MirrorRound, base: int) -> MirrorRound:
    """The round behind a file, after a second look at it: its lines are all there then, once each and in order.

    A row that is not what was written says nothing against its line, which may be all that is left of the fact: the
    file stays as it is.
    """
    file, first, last = mirror.files()[now.file]
    found = mirror.disk.read(file)
    lines, asked = dict[int, bytes](), {*range(max(first, base + 1), last + 1)}
    for line in io.BytesIO(found):
        if (told := read_line(line)) is not None:
            asked.add(told.seq)
            if _as_kept(conn, told, base):
                lines[told.seq] = line
    missing = sorted(asked - lines.keys())
    if (rotten := next((seq for seq in missing if not _is_sound(conn, seq)), None)) is not None:
        wrong = f"Row {rotten} of the journal is not what was written."
        return MirrorRound(now.file, mended=now.mended, over=True, wrong=wrong)
    again = {seq: line_of(record) for seq in missing for record in after(conn, seq - 1, 1)}
    text = b"".join(line for _, line in sorted((lines | again).items()))
    if text != found:
        mirror.replace(file, text)
    return MirrorRound(now.file + 1, mended=now.mended + len(again))


def _is_sound(conn: Connection, seq: int) -> bool:
    """Whether a row is what was written: read from the disk once more when it seems not to be."""
    for look in (1, 2):
        row = conn.execute(AS_BYTES + " WHERE seq = ?", (seq,)).fetchone()
        if row is not None and is_whole(row[1], row[2], row[3:]):
            return True
        if look == 1:
            conn.execute("PRAGMA shrink_memory")
    return False
