-- What is in doubt beside the facts that the ERP refused, and what people decided on both.

INSERT INTO fact_kind VALUES ('ExceptionDecided');

-- Each until somebody acknowledges it, also when its fact has left the journal. seq to last: the facts that it is
-- about; facts: how many of them. payload: that of the fact, where it is about one.
CREATE TABLE doubt (
    key TEXT PRIMARY KEY CHECK (key <> ''),
    kind TEXT NOT NULL CHECK (kind IN ('lost', 'write', 'clock')),
    seq INTEGER NOT NULL,
    last INTEGER NOT NULL,
    facts INTEGER NOT NULL CHECK (facts >= 1),
    at TEXT NOT NULL,
    terminal TEXT NOT NULL,
    person TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload))
) STRICT, WITHOUT ROWID;

-- The last decision on each, by what it is on: the id of a fact, or the key of a doubt or an incident.
CREATE TABLE decided (
    exception TEXT PRIMARY KEY CHECK (exception <> ''),
    at TEXT NOT NULL,
    person TEXT NOT NULL,
    choice TEXT NOT NULL CHECK (choice <> ''),
    second TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO doubt
SELECT id, CASE kind WHEN 'FactLost' THEN 'lost' ELSE 'write' END, seq, seq, 1, record_time, terminal, person, payload
FROM journal
WHERE kind = 'FactLost'
    OR (kind = 'MachineWriteFinished' AND json_extract(payload, '$.outcome') IN ('doubtful', 'differs'));

INSERT INTO doubt
SELECT 'clock/' || min(seq), 'clock', min(seq), max(seq), count(*), min(record_time), '', '', '{}'
FROM journal WHERE clock_ok = 0
HAVING count(*) > 0;

CREATE TRIGGER journal_doubt AFTER INSERT ON journal
WHEN NEW.kind = 'FactLost' OR (
    NEW.kind = 'MachineWriteFinished' AND json_extract(NEW.payload, '$.outcome') IN ('doubtful', 'differs')
)
BEGIN
    INSERT INTO doubt VALUES (
        NEW.id, CASE NEW.kind WHEN 'FactLost' THEN 'lost' ELSE 'write' END, NEW.seq, NEW.seq, 1, NEW.record_time,
        NEW.terminal, NEW.person, NEW.payload
    );
END;

-- One for all facts with times that may be wrong, from the first to the decision that they are explained.
CREATE TRIGGER journal_clock AFTER INSERT ON journal
WHEN NEW.clock_ok = 0 AND NEW.kind <> 'ExceptionDecided'
BEGIN
    UPDATE doubt SET last = NEW.seq, facts = facts + 1 WHERE kind = 'clock';
    INSERT INTO doubt
    SELECT 'clock/' || NEW.seq, 'clock', NEW.seq, NEW.seq, 1, NEW.record_time, '', '', '{}'
    WHERE NOT EXISTS (SELECT 1 FROM doubt WHERE kind = 'clock');
END;

CREATE TRIGGER journal_decided AFTER INSERT ON journal
WHEN NEW.kind = 'ExceptionDecided'
BEGIN
    INSERT OR REPLACE INTO decided VALUES (
        json_extract(NEW.payload, '$.exception'), NEW.event_time, NEW.person, json_extract(NEW.payload, '$.choice'),
        coalesce(json_extract(NEW.payload, '$.second'), ''), coalesce(json_extract(NEW.payload, '$.note'), '')
    );
    DELETE FROM doubt
    WHERE key = json_extract(NEW.payload, '$.exception') AND json_extract(NEW.payload, '$.choice') = 'acknowledge';
END;
