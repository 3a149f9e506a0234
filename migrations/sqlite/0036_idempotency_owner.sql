-- Which run of a call holds its key, and since when: a run that was cut off loses it to the next, and can then write nothing
-- any more.
ALTER TABLE idempotency ADD COLUMN owner BLOB;
ALTER TABLE idempotency ADD COLUMN begun_at INTEGER;
