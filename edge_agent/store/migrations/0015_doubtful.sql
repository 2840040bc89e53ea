-- Parts that may not have been made at all, until a person says so; and counters that do not end at a power of two.

-- How many numbers the counter has; NULL: 2 to the power of its width.
ALTER TABLE counter ADD COLUMN modulus INTEGER CHECK (modulus > 1);

DROP TRIGGER journal_assigned;

-- cause unsure: the counter fell, and it may have run over as well as begun anew; see ledger.py.
CREATE TABLE tally_by_cause (
    equipment TEXT NOT NULL,
    job TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('', 'reset', 'jump', 'unsure')),
    parts INTEGER NOT NULL CHECK (parts >= 0),
    estimated INTEGER NOT NULL CHECK (estimated BETWEEN 0 AND parts),
    began TEXT NOT NULL,
    ended TEXT NOT NULL,
    PRIMARY KEY (equipment, job, cause),
    CHECK (cause = '' OR job = '')
) STRICT, WITHOUT ROWID;

INSERT INTO tally_by_cause SELECT equipment, job, cause, parts, estimated, began, ended FROM tally;
DROP TABLE tally;
ALTER TABLE tally_by_cause RENAME TO tally;

-- People are asked for what is unsure apart from what was counted while no job was open.
CREATE TABLE assigned_by_cause (
    equipment TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('', 'unsure')),
    left_alone INTEGER NOT NULL CHECK (left_alone >= 0),
    answered TEXT NOT NULL,
    PRIMARY KEY (equipment, cause)
) STRICT, WITHOUT ROWID;

INSERT INTO assigned_by_cause SELECT equipment, '', left_alone, answered FROM assigned;
DROP TABLE assigned;
ALTER TABLE assigned_by_cause RENAME TO assigned;

-- The tally follows the answer. The minutes stay as they are: no job was open in them, or nobody saw the parts.
CREATE TRIGGER journal_assigned AFTER INSERT ON journal WHEN NEW.kind = 'CountAssigned'
BEGIN
    INSERT INTO tally (equipment, job, cause, parts, estimated, began, ended)
    SELECT equipment, json_extract(NEW.payload, '$.job'), '', min(parts, json_extract(NEW.payload, '$.parts')), 0,
        NEW.event_time, NEW.event_time
    FROM tally
    WHERE equipment = json_extract(NEW.payload, '$.equipment') AND job = ''
        AND cause = iif(json_extract(NEW.payload, '$.doubtful'), 'unsure', '')
        AND coalesce(json_extract(NEW.payload, '$.job'), '') <> ''
    ON CONFLICT DO UPDATE SET parts = parts + excluded.parts;
    UPDATE tally SET
        parts = max(0, parts - json_extract(NEW.payload, '$.parts')),
        estimated = min(estimated, max(0, parts - json_extract(NEW.payload, '$.parts')))
    WHERE equipment = json_extract(NEW.payload, '$.equipment') AND job = ''
        AND cause = iif(json_extract(NEW.payload, '$.doubtful'), 'unsure', '')
        AND coalesce(json_extract(NEW.payload, '$.job'), '') <> '';
    INSERT INTO assigned VALUES (
        json_extract(NEW.payload, '$.equipment'),
        iif(json_extract(NEW.payload, '$.doubtful'), 'unsure', ''),
        iif(coalesce(json_extract(NEW.payload, '$.job'), '') = '', json_extract(NEW.payload, '$.parts'), 0),
        NEW.event_time
    )
    ON CONFLICT DO UPDATE SET
        left_alone = left_alone + excluded.left_alone, answered = max(answered, excluded.answered);
END;
