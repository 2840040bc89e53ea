-- Items are kept in lanes: up to a hundred items of one device, which share blocks and time axes. All rows
-- of the tail up to folded are in blocks.
CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    device TEXT NOT NULL CHECK (device <> ''),
    folded INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE item (
    device TEXT NOT NULL,
    name TEXT NOT NULL CHECK (name <> ''),
    lane INTEGER NOT NULL REFERENCES lane (id),
    place INTEGER NOT NULL CHECK (place >= 0),
    PRIMARY KEY (device, name),
    UNIQUE (lane, place)
) STRICT;

-- What was committed: a row for each commit and lane, until blocks hold it. In the order of time and not of
-- lanes, so that a commit writes one place of the file and the oldest are removed from one place.
-- AUTOINCREMENT, because readers count on it that a number never comes again. Times in microseconds since
-- 1970 UTC: first and last are of the samples, stored is when this PC kept them.
CREATE TABLE tail (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    lane INTEGER NOT NULL REFERENCES lane (id),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last >= first),
    stored INTEGER NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    body BLOB NOT NULL
) STRICT;

CREATE INDEX tail_lane ON tail (lane, seq);

-- The rows of the tail of one lane up to seq, from the block before it on. The lowest id is the oldest.
CREATE TABLE block (
    id INTEGER PRIMARY KEY,
    lane INTEGER NOT NULL REFERENCES lane (id),
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
