-- Writes to machines: three kinds of facts more. The kinds stand in a table now: each step adds its own.

CREATE TABLE fact_kind (kind TEXT PRIMARY KEY CHECK (kind <> '')) STRICT, WITHOUT ROWID;

INSERT INTO fact_kind VALUES
    ('SignedOn'), ('SignedOff'), ('JobStarted'), ('MaterialProduced'), ('MaterialScrapped'), ('JobCompleted'),
    ('MaterialMoved'), ('MaterialShort'), ('Correction'), ('ScanRefused'), ('DowntimeRecorded'),
    ('MachineWriteRequested'), ('MachineWriteRefused'), ('MachineWriteFinished');

DROP TRIGGER journal_kind;

CREATE TRIGGER journal_kind AFTER INSERT ON journal
WHEN NOT EXISTS (SELECT 1 FROM fact_kind WHERE kind = NEW.kind)
BEGIN SELECT RAISE(ABORT, 'the journal does not know this kind of fact'); END;

-- What was let through, and what came of it: a request without a row here is a doubtful one.
CREATE INDEX journal_write ON journal (seq) WHERE kind = 'MachineWriteRequested';

CREATE UNIQUE INDEX journal_written ON journal (json_extract(payload, '$.request'))
WHERE kind = 'MachineWriteFinished';
