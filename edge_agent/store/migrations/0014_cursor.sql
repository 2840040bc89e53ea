-- How far a connector is names its fact by number and by hash: a number that rotted names none.
ALTER TABLE delivered ADD COLUMN hash BLOB NOT NULL
DEFAULT x'0000000000000000000000000000000000000000000000000000000000000000' CHECK (length(hash) = 32);

UPDATE delivered SET hash = coalesce(
    (SELECT hash FROM journal WHERE journal.seq = delivered.seq),
    (SELECT hash FROM base WHERE base.seq = delivered.seq),
    hash
);
