-- What the machines did: counters that lose no part, the states they were in, their stops.

DROP TRIGGER journal_kind;

CREATE TRIGGER journal_kind AFTER INSERT ON journal
WHEN NEW.kind NOT IN (
    'SignedOn', 'SignedOff', 'JobStarted', 'MaterialProduced', 'MaterialScrapped', 'JobCompleted',
    'MaterialMoved', 'MaterialShort', 'Correction', 'ScanRefused', 'DowntimeRecorded'
)
BEGIN SELECT RAISE(ABORT, 'the journal does not know this kind of fact'); END;

-- The last reading of each counter. Readings are text: 64 bits without a sign do not fit an INTEGER.
CREATE TABLE counter (
    equipment TEXT PRIMARY KEY CHECK (equipment <> ''),
    width INTEGER NOT NULL CHECK (width BETWEEN 8 AND 64),
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    reading TEXT NOT NULL CHECK (reading <> '' AND reading NOT GLOB '*[^0-9]*'),
    at TEXT NOT NULL,
    suspect TEXT CHECK (suspect IS NULL OR (suspect <> '' AND suspect NOT GLOB '*[^0-9]*')),
    suspect_at TEXT,
    CHECK ((suspect IS NULL) = (suspect_at IS NULL))
) STRICT, WITHOUT ROWID;

-- Parts by job. job '': unattributed. cause '': counted while no job was open, or with a job; reset and
-- jump: doubtful, see ledger.py. estimated: the part of them that was shared out by time.
CREATE TABLE tally (
    equipment TEXT NOT NULL,
    job TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('', 'reset', 'jump')),
    parts INTEGER NOT NULL CHECK (parts >= 0),
    estimated INTEGER NOT NULL CHECK (estimated BETWEEN 0 AND parts),
    began TEXT NOT NULL,
    ended TEXT NOT NULL,
    PRIMARY KEY (equipment, job, cause),
    CHECK (cause = '' OR job = '')
) STRICT, WITHOUT ROWID;

-- The same by the minute in which they were made; kept for a while.
CREATE TABLE counted (
    equipment TEXT NOT NULL,
    minute TEXT NOT NULL,
    job TEXT NOT NULL,
    cause TEXT NOT NULL,
    parts INTEGER NOT NULL,
    PRIMARY KEY (equipment, minute, job, cause)
) STRICT, WITHOUT ROWID;

-- Which job each terminal of a machine has open, from when on. job '': none.
CREATE TABLE opened (
    equipment TEXT NOT NULL,
    terminal TEXT NOT NULL,
    at TEXT NOT NULL,
    job TEXT NOT NULL,
    PRIMARY KEY (equipment, at, terminal)
) STRICT, WITHOUT ROWID;

CREATE INDEX opened_terminal ON opened (terminal, at);

-- The states of each machine, one after the other; kept for a while. ended: NULL for the one it is in,
-- which is sure up to seen.
CREATE TABLE equipment_state (
    equipment TEXT NOT NULL,
    began TEXT NOT NULL,
    ended TEXT,
    seen TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state <> ''),
    raw TEXT NOT NULL,
    mode TEXT NOT NULL,
    alarm TEXT NOT NULL,
    PRIMARY KEY (equipment, began)
) STRICT, WITHOUT ROWID;

-- Stops that are long enough to be asked for. What people say of them stands in the journal.
CREATE TABLE stop (
    id TEXT PRIMARY KEY CHECK (id <> ''),
    equipment TEXT NOT NULL,
    began TEXT NOT NULL,
    ended TEXT,
    state TEXT NOT NULL,
    alarm TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX stop_equipment ON stop (equipment, began);

-- The last fact about a stop.
CREATE INDEX journal_stop ON journal (json_extract(payload, '$.stop'), seq) WHERE kind = 'DowntimeRecorded';

-- Scrap of a shift.
CREATE INDEX journal_scrap ON journal (event_time) WHERE kind = 'MaterialScrapped';
