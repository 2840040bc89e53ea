-- A number of the journal whose fact was lost with the disk, and what was done about a damaged file.

DROP TRIGGER journal_kind;

CREATE TRIGGER journal_kind AFTER INSERT ON journal
WHEN NEW.kind NOT IN (
    'SignedOn', 'SignedOff', 'JobStarted', 'MaterialProduced', 'MaterialScrapped', 'JobCompleted',
    'MaterialMoved', 'MaterialShort', 'Correction', 'ScanRefused', 'DowntimeRecorded', 'FactLost'
)
BEGIN SELECT RAISE(ABORT, 'the journal does not know this kind of fact'); END;

-- lost: the seqs that nothing brought back, as a JSON list.
CREATE TABLE incident (
    at TEXT PRIMARY KEY,
    why TEXT NOT NULL,
    kept TEXT NOT NULL,
    facts INTEGER NOT NULL,
    lost TEXT NOT NULL CHECK (json_valid(lost))
) STRICT, WITHOUT ROWID;

-- Sums come from job_total: the wide index has no reader any more.
DROP INDEX journal_about;
CREATE INDEX journal_about ON journal (about);
