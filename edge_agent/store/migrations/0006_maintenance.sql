-- Maintenance: requests of the floor, and the work on them.

INSERT INTO fact_kind VALUES
    ('MaintenanceRequested'), ('MaintenanceStarted'), ('MaintenancePartUsed'), ('MaintenanceCompleted');

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
