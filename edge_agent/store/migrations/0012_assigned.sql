-- What became of parts that were counted while no job was open.

INSERT INTO fact_kind VALUES ('CountAssigned');

-- left_alone: those of a machine that stay without a job; answered: up to when somebody was asked for them.
CREATE TABLE assigned (
    equipment TEXT PRIMARY KEY,
    left_alone INTEGER NOT NULL CHECK (left_alone >= 0),
    answered TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Nobody is asked for what was counted before anybody was.
INSERT INTO assigned SELECT equipment, parts, ended FROM tally WHERE job = '' AND cause = '';

-- The tally follows the answer. The minutes stay: it is true that no job was open in them.
CREATE TRIGGER journal_assigned AFTER INSERT ON journal WHEN NEW.kind = 'CountAssigned'
BEGIN
    INSERT INTO tally (equipment, job, cause, parts, estimated, began, ended)
    SELECT equipment, json_extract(NEW.payload, '$.job'), '', min(parts, json_extract(NEW.payload, '$.parts')), 0,
        NEW.event_time, NEW.event_time
    FROM tally
    WHERE equipment = json_extract(NEW.payload, '$.equipment') AND job = '' AND cause = ''
        AND coalesce(json_extract(NEW.payload, '$.job'), '') <> ''
    ON CONFLICT DO UPDATE SET parts = parts + excluded.parts;
    UPDATE tally SET
        parts = max(0, parts - json_extract(NEW.payload, '$.parts')),
        estimated = min(estimated, max(0, parts - json_extract(NEW.payload, '$.parts')))
    WHERE equipment = json_extract(NEW.payload, '$.equipment') AND job = '' AND cause = ''
        AND coalesce(json_extract(NEW.payload, '$.job'), '') <> '';
    INSERT INTO assigned VALUES (
        json_extract(NEW.payload, '$.equipment'),
        iif(coalesce(json_extract(NEW.payload, '$.job'), '') = '', json_extract(NEW.payload, '$.parts'), 0),
        NEW.event_time
    )
    ON CONFLICT DO UPDATE SET
        left_alone = left_alone + excluded.left_alone, answered = max(answered, excluded.answered);
END;
