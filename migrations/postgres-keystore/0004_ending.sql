-- When an epoch's end began, written down before its file goes: one that is not to be seen and of which this is not said is
-- away, and not destroyed.
ALTER TABLE epoch ADD COLUMN ending_at BIGINT;

-- Of what was cut short before this was written down, the floor says that nothing lay under it any more.
UPDATE epoch SET ending_at = begun_at WHERE destroyed_at IS NULL
    AND number < (SELECT floor FROM epoch_floor WHERE name = 'epochs');
