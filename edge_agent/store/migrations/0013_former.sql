-- Connectors that were taken out of the site file while facts waited for them.

-- How far each was, how many facts it never had (those that it refused stand in stranded), and the last fact of the
-- journal then: a decision behind that one is about it.
CREATE TABLE former (
    connector TEXT PRIMARY KEY CHECK (connector <> ''),
    at TEXT NOT NULL,
    seq INTEGER NOT NULL,
    facts INTEGER NOT NULL CHECK (facts >= 1),
    behind INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What such a connector had refused, whole: the journal does not stop for it.
CREATE TABLE stranded (
    connector TEXT NOT NULL,
    id TEXT NOT NULL CHECK (id <> ''),
    seq INTEGER NOT NULL,
    agent TEXT NOT NULL,
    event_time TEXT NOT NULL,
    record_time TEXT NOT NULL,
    clock_ok INTEGER NOT NULL CHECK (clock_ok IN (0, 1)),
    terminal TEXT NOT NULL,
    person TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    since TEXT NOT NULL,
    behind INTEGER NOT NULL,
    PRIMARY KEY (connector, id)
) STRICT, WITHOUT ROWID;

-- Nobody is left to send them to: who says what becomes of them has settled them.
CREATE TRIGGER journal_settled AFTER INSERT ON journal
WHEN NEW.kind = 'ExceptionDecided' AND json_extract(NEW.payload, '$.choice') IN ('hand_over', 'acknowledge')
BEGIN
    DELETE FROM stranded WHERE id = json_extract(NEW.payload, '$.exception') AND behind < NEW.seq;
    DELETE FROM former
    WHERE 'connector/' || connector = json_extract(NEW.payload, '$.exception') AND behind < NEW.seq;
END;
