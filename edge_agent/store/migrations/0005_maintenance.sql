-- Maintenance: requests of the floor, and the work on them.

DROP TRIGGER journal_kind;

CREATE TRIGGER journal_kind AFTER INSERT ON journal
WHEN NEW.kind NOT IN (
    'SignedOn', 'SignedOff', 'JobStarted', 'MaterialProduced', 'MaterialScrapped', 'JobCompleted',
    'MaterialMoved', 'MaterialShort', 'Correction', 'ScanRefused', 'DowntimeRecorded',
    'MaintenanceRequested', 'MaintenanceStarted', 'MaintenancePartUsed', 'MaintenanceCompleted'
)
BEGIN SELECT RAISE(ABORT, 'the journal does not know this kind of fact'); END;

-- The requests that are open: what a machine waits for is found without reading what was done for it in years.
CREATE TABLE open_request (
    equipment TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES journal (seq),
    about TEXT NOT NULL UNIQUE,
    PRIMARY KEY (equipment, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER journal_request AFTER INSERT ON journal
WHEN NEW.kind = 'MaintenanceRequested'
BEGIN
    INSERT INTO open_request (equipment, seq, about)
    VALUES (json_extract(NEW.payload, '$.equipment'), NEW.seq, NEW.about);
END;

CREATE TRIGGER journal_request_done AFTER INSERT ON journal
WHEN NEW.kind = 'MaintenanceCompleted'
BEGIN DELETE FROM open_request WHERE about = NEW.about; END;
