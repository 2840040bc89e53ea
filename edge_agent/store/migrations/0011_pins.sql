-- PINs of people: a hash (argon2id), never the PIN; and the wrong tries, which a restart does not forgive.

INSERT INTO fact_kind VALUES ('PinRefused'), ('PinChanged');

-- start: the hash is that of a start code. until: a reading of the monotonic clock of boot; no boot: not locked out.
CREATE TABLE pin (
    person TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    start INTEGER NOT NULL CHECK (start IN (0, 1)),
    wrong INTEGER NOT NULL,
    boot TEXT NOT NULL,
    until REAL NOT NULL
) STRICT, WITHOUT ROWID;
