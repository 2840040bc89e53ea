-- Items are kept in lanes: up to a hundred items of one device, which share blocks and time axes.
CREATE TABLE item (
    id INTEGER PRIMARY KEY,
    lane INTEGER NOT NULL,
    place INTEGER NOT NULL CHECK (place >= 0),
    device TEXT NOT NULL CHECK (device <> ''),
    name TEXT NOT NULL CHECK (name <> ''),
    UNIQUE (device, name),
    UNIQUE (lane, place)
) STRICT;

-- What was committed and is in no block yet: a row for each commit and lane. AUTOINCREMENT, because a
-- reader counts on it that a number never comes again. Times in microseconds since 1970 UTC: first and
-- last are of the samples, stored is when this PC kept them.
CREATE TABLE tail (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    lane INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last >= first),
    stored INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    body BLOB NOT NULL
) STRICT;

CREATE INDEX tail_lane ON tail (lane, seq, stored, count);

-- The rows of the tail of one lane up to seq, from the block before it on. The lowest id is the oldest.
CREATE TABLE block (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last >= first),
    stored INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    body BLOB NOT NULL
) STRICT;

CREATE INDEX block_lane ON block (lane, seq, first, last, count);

-- Where samples are missing: of one device, of one of its items, or of everything (both empty).
CREATE TABLE gap (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    item TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL CHECK (until >= since),
    reason TEXT NOT NULL CHECK (reason IN ('stopped', 'dropped', 'too_many', 'not_saved', 'device')),
    count INTEGER NOT NULL CHECK (count >= 0)
) STRICT;
