-- How many parts of each job the reports stand for, by the machine that they were made at: what it had
-- counted then, and where that was not known the quantity. A report that was taken back stands for nothing.
CREATE TABLE reported (
    equipment TEXT NOT NULL,
    job TEXT NOT NULL,
    parts INTEGER NOT NULL,
    PRIMARY KEY (equipment, job)
) STRICT, WITHOUT ROWID;

CREATE VIEW stands_for (seq, equipment, job, parts) AS
SELECT
    j.seq, json_extract(f.payload, '$.equipment'), j.about,
    CAST(coalesce(json_extract(f.payload, '$.machine_count'), f.millionths / 1000000) AS INTEGER)
    * CASE WHEN j.corrects IS NULL THEN 1 ELSE -1 END
FROM journal j
JOIN journal f ON f.id = coalesce(j.corrects, j.id)
WHERE f.kind = 'MaterialProduced' AND coalesce(json_extract(f.payload, '$.equipment'), '') <> '';

INSERT INTO reported SELECT equipment, job, sum(parts) FROM stands_for GROUP BY equipment, job;

CREATE TRIGGER journal_reported AFTER INSERT ON journal
WHEN NEW.kind IN ('MaterialProduced', 'Correction')
BEGIN
    INSERT INTO reported SELECT equipment, job, parts FROM stands_for WHERE seq = NEW.seq
    ON CONFLICT DO UPDATE SET parts = parts + excluded.parts;
END;
