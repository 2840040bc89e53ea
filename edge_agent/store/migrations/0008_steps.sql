-- How many steps of a counter were entered: one that comes again, after a commit that nobody heard of, counts once.
ALTER TABLE counter ADD COLUMN steps INTEGER NOT NULL DEFAULT 0;
