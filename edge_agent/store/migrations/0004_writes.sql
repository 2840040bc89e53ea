-- Writes to machines: three kinds of facts more.

DROP TRIGGER journal_kind;

CREATE TRIGGER journal_kind AFTER INSERT ON journal
WHEN NEW.kind NOT IN (
    'SignedOn', 'SignedOff', 'JobStarted', 'MaterialProduced', 'MaterialScrapped', 'JobCompleted',
    'MaterialMoved', 'MaterialShort', 'Correction', 'ScanRefused', 'DowntimeRecorded',
    'MachineWriteRequested', 'MachineWriteRefused', 'MachineWriteFinished'
)
BEGIN SELECT RAISE(ABORT, 'the journal does not know this kind of fact'); END;

-- What was let through, and what came of it: a request without a row here is a doubtful one.
CREATE INDEX journal_write ON journal (seq) WHERE kind = 'MachineWriteRequested';

CREATE UNIQUE INDEX journal_written ON journal (json_extract(payload, '$.request'))
WHERE kind = 'MachineWriteFinished';
