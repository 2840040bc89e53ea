"""The times that a person may type for an export. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta


def moment(text: str, now: datetime) -> str:
    """A moment as ISO 8601 with a time zone; `now` aware, in the zone of this PC.

    A time of day is the last one that has been. Raises ValueError with what may be said.

    >>> moment("17:20", datetime.fromisoformat("2026-11-22T18:00+01:00"))
    '2026-11-22T17:20:00+01:00'
    >>> moment("17:20", datetime.fromisoformat("2026-11-22T06:00+01:00"))
    '2026-11-21T17:20:00+01:00'
    """
    try:
        if text.count(":") in (1, 2) and "-" not in text and "+" not in text and "T" not in text:
            found = datetime.combine(now.date(), time.fromisoformat(text.zfill(5)), now.tzinfo)
            return (found if found <= now else found - timedelta(days=1)).isoformat()
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text} is no time. Say 17:20, 2026-11-22T17:20, or with a time zone 2026-11-22T17:20+01:00."
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=now.tzinfo)).isoformat()
