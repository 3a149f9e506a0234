-- An errand that its provider had no time for is kept, to be put again: it is certain that it was not taken.
ALTER TABLE errand ADD COLUMN refused_at INTEGER;
-- Since when an edit waits for a provider that has no time. The line for a place there is none of it.
ALTER TABLE edit ADD COLUMN put_off_since INTEGER;
