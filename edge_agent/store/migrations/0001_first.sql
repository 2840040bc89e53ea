-- The journal: what happened on this PC, in order, never edited. Everything that is searched for is
-- derived from the payload, so no column can disagree with it.
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id <> ''),
    agent TEXT NOT NULL CHECK (agent <> ''),
    event_time TEXT NOT NULL CHECK (event_time GLOB '????-??-??T??:??:??.??????+00:00'),
    record_time TEXT NOT NULL CHECK (record_time GLOB '????-??-??T??:??:??.??????+00:00'),
    clock_ok INTEGER NOT NULL CHECK (clock_ok IN (0, 1)),
    terminal TEXT NOT NULL,
    person TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    kind TEXT NOT NULL GENERATED ALWAYS AS (json_extract(payload, '$.kind')) STORED,
    about TEXT NOT NULL GENERATED ALWAYS AS (json_extract(payload, '$.about')) STORED CHECK (about <> ''),
    requirement TEXT GENERATED ALWAYS AS (json_extract(payload, '$.requirement')) STORED,
    corrects TEXT GENERATED ALWAYS AS (json_extract(payload, '$.corrects')) STORED,
    -- A quantity as a whole number, so that sums are exact: 9 digits and 6 decimals fit a double.
    millionths INTEGER GENERATED ALWAYS AS (
        CAST(round(json_extract(payload, '$.quantity') * 1000000.0) AS INTEGER)
    ) STORED
) STRICT;

-- Holds all that progress is made of, so that a job is summed up without opening a payload.
CREATE INDEX journal_about ON journal (about, seq, kind, requirement, corrects, millionths);

-- A fact is corrected once.
CREATE UNIQUE INDEX journal_corrects ON journal (corrects) WHERE corrects IS NOT NULL;

CREATE TRIGGER journal_update BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'a row of the journal is never changed'); END;

CREATE TRIGGER journal_delete BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'a row of the journal is never deleted'); END;

CREATE TRIGGER journal_chain BEFORE INSERT ON journal
WHEN NEW.seq <> coalesce((SELECT max(seq) FROM journal), 0) + 1
    OR NEW.prev_hash <> coalesce((SELECT hash FROM journal ORDER BY seq DESC LIMIT 1), zeroblob(32))
BEGIN SELECT RAISE(ABORT, 'a row of the journal follows the one before it'); END;

-- A trigger and not a CHECK: a later step that adds a kind need not copy the table.
CREATE TRIGGER journal_kind AFTER INSERT ON journal
WHEN NEW.kind NOT IN (
    'SignedOn', 'SignedOff', 'JobStarted', 'MaterialProduced', 'MaterialScrapped', 'JobCompleted',
    'MaterialMoved', 'MaterialShort', 'Correction', 'ScanRefused'
)
BEGIN SELECT RAISE(ABORT, 'the journal does not know this kind of fact'); END;

CREATE TRIGGER journal_correction AFTER INSERT ON journal
WHEN NEW.kind = 'Correction' AND NOT EXISTS (
    SELECT 1 FROM journal f
    WHERE f.id = NEW.corrects AND f.seq < NEW.seq AND f.about = NEW.about AND f.kind <> 'Correction'
)
BEGIN SELECT RAISE(ABORT, 'a correction names an earlier fact about the same thing'); END;

-- How far each connector is: every fact up to seq has a receipt or a row in parked.
CREATE TABLE delivered (
    connector TEXT PRIMARY KEY CHECK (connector <> ''),
    seq INTEGER NOT NULL CHECK (seq >= 0)
) STRICT, WITHOUT ROWID;

-- The facts that are not simply before or behind the cursor:
--   refused  the ERP will not book it until a person has decided
--   held     waits behind a refused fact about the same thing (held_back_by)
--   retry    a person sent it again: it goes before everything new
--   unsure   as retry, and the plan came since: it may hold the fact already, so we do not count it
--   booked   accepted after all; counted here until the plan comes that holds it
--   done     accepted before the facts in front of it were; goes when the cursor has passed
CREATE TABLE parked (
    connector TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES journal (seq),
    about TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('refused', 'held', 'retry', 'unsure', 'booked', 'done')),
    code TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    since TEXT NOT NULL,
    held_back_by INTEGER,
    PRIMARY KEY (connector, seq),
    CHECK ((state = 'held') = (held_back_by IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX parked_about ON parked (connector, about, seq);
CREATE INDEX parked_state ON parked (connector, state, seq);

-- The plans of the ERP, a copy. as_of_seq: later facts are not in the figures of this plan.
CREATE TABLE plan (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    connector TEXT NOT NULL,
    generation INTEGER NOT NULL,
    as_of_seq INTEGER NOT NULL CHECK (as_of_seq >= 0),
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- Finds what is left of an older generation, after every page.
CREATE INDEX plan_generation ON plan (connector, generation);

-- Where each connector goes on pulling. generation: plans of an older one go when the last page of a
-- new beginning is in, so that nobody stands before half a list when the ERP goes away in between.
CREATE TABLE pulled (
    connector TEXT PRIMARY KEY CHECK (connector <> ''),
    cursor TEXT NOT NULL,
    generation INTEGER NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Where each terminal stands.
CREATE TABLE session (
    terminal TEXT PRIMARY KEY CHECK (terminal <> ''),
    state BLOB NOT NULL,
    last_input TEXT NOT NULL,
    last_view BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Every fact about a planned job, once for a job without any. A correction stands here as the fact
-- that it takes back, with the sign turned. unseen: the figures of the plan do not hold it.
CREATE VIEW job_effect (job, plan, seq, kind, requirement, sign, millionths, unseen) AS
SELECT
    p.id, p.payload, j.seq, coalesce(f.kind, j.kind), coalesce(f.requirement, j.requirement),
    CASE WHEN f.seq IS NULL THEN 1 ELSE -1 END,
    CASE WHEN f.seq IS NULL THEN j.millionths ELSE -f.millionths END,
    j.seq > p.as_of_seq OR EXISTS (
        SELECT 1 FROM parked k
        WHERE k.connector = p.connector AND k.seq = j.seq AND k.state IN ('refused', 'held', 'retry', 'booked')
    )
FROM plan p
LEFT JOIN journal j ON j.about = p.id
LEFT JOIN journal f ON f.id = j.corrects
WHERE p.kind = 'JobOrder';

-- The law: what the ERP has booked plus what it has not seen. Quantities in millionths.
CREATE VIEW job_progress (job, good, scrap, started, completed) AS
SELECT
    job,
    CAST(round(json_extract(plan, '$.good') * 1000000.0) AS INTEGER)
        + coalesce(sum(millionths) FILTER (WHERE unseen AND kind = 'MaterialProduced'), 0),
    CAST(round(json_extract(plan, '$.scrap') * 1000000.0) AS INTEGER)
        + coalesce(sum(millionths) FILTER (WHERE unseen AND kind = 'MaterialScrapped'), 0),
    coalesce(sum(sign) FILTER (WHERE kind = 'JobStarted'), 0) > 0,
    (json_extract(plan, '$.dispatch_status') = 'Completed')
        + coalesce(sum(sign) FILTER (WHERE unseen AND kind = 'JobCompleted'), 0) > 0
FROM job_effect
GROUP BY job;

-- The same for each line, to be summed by requirement: what the ERP has booked, and each of our facts.
-- The ERP keeps no figure of what was short: all of it is ours.
CREATE VIEW line_effect (job, requirement, done, short) AS
SELECT
    p.id, json_extract(r.value, '$.id'),
    CAST(round(json_extract(r.value, '$.done') * 1000000.0) AS INTEGER), 0
FROM plan p, json_each(p.payload, '$.requirements') r
WHERE p.kind = 'JobOrder'
UNION ALL
SELECT
    job, requirement,
    CASE WHEN unseen AND kind = 'MaterialMoved' THEN millionths ELSE 0 END,
    CASE WHEN kind = 'MaterialShort' THEN millionths ELSE 0 END
FROM job_effect
WHERE requirement IS NOT NULL;
