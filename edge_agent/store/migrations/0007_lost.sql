-- A number of the journal whose fact was lost with the disk, and what was done about a damaged file.

INSERT INTO fact_kind VALUES ('FactLost');

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
