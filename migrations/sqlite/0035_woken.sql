-- A job that was woken while it ran runs again at once: it may have looked before there was something to see.
ALTER TABLE job ADD COLUMN woken INTEGER NOT NULL DEFAULT 0;
