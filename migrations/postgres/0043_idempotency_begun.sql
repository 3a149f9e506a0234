-- A run without a time is one that an older program began: it has its key from the time on at which it was called.
UPDATE idempotency SET begun_at = created_at WHERE state = 'running' AND begun_at IS NULL;
