-- How often a job failed by itself, apart from how often it was begun: a process that was killed in the middle, or a store
-- that was down, is no fault of the job's.
ALTER TABLE job ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
