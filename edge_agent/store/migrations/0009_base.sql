-- What was delivered long ago may go, from the front of the journal only: the chain then begins at its base.

-- The last fact that went: its number and its hash, which the first row names as the one before it.
CREATE TABLE base (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL CHECK (seq >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

INSERT INTO base VALUES (1, 0, zeroblob(32));

CREATE TRIGGER base_delete BEFORE DELETE ON base
BEGIN SELECT RAISE(ABORT, 'the journal has one base'); END;

-- In a journal without a row (one that is built anew) it may be put anywhere.
CREATE TRIGGER base_update BEFORE UPDATE ON base
WHEN EXISTS (SELECT 1 FROM journal) AND (
    NEW.seq <= OLD.seq
    OR NEW.seq >= (SELECT max(seq) FROM journal)
    OR NEW.hash IS NOT (SELECT hash FROM journal WHERE seq = NEW.seq)
    OR NOT EXISTS (SELECT 1 FROM delivered)
    OR EXISTS (SELECT 1 FROM delivered WHERE seq < NEW.seq)
    OR EXISTS (SELECT 1 FROM parked WHERE seq <= NEW.seq)
    OR EXISTS (SELECT 1 FROM open_request WHERE seq <= NEW.seq)
    OR EXISTS (
        SELECT 1 FROM journal c JOIN journal f ON f.id = c.corrects
        WHERE c.corrects IS NOT NULL AND c.seq > NEW.seq AND f.seq <= NEW.seq
    )
)
BEGIN SELECT RAISE(ABORT, 'only facts that everybody has and nobody refers to leave the journal'); END;

DROP TRIGGER journal_delete;

CREATE TRIGGER journal_delete BEFORE DELETE ON journal
WHEN OLD.seq > (SELECT seq FROM base)
BEGIN SELECT RAISE(ABORT, 'a row of the journal is never deleted'); END;

DROP TRIGGER journal_chain;

CREATE TRIGGER journal_chain BEFORE INSERT ON journal
WHEN NEW.seq <> coalesce((SELECT max(seq) FROM journal), (SELECT seq FROM base)) + 1
    OR NEW.prev_hash <> coalesce(
        (SELECT hash FROM journal ORDER BY seq DESC LIMIT 1), (SELECT hash FROM base)
    )
BEGIN SELECT RAISE(ABORT, 'a row of the journal follows the one before it'); END;
