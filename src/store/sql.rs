pub(super) const PING: &str = "SELECT CAST(1 AS BIGINT)";
pub(super) const TURN_POSTGRES: &str = "SELECT CAST(pg_advisory_xact_lock($1) AS TEXT)";
pub(super) const SHARED_TURN_POSTGRES: &str = "SELECT CAST(pg_advisory_xact_lock_shared($1) AS TEXT)";
/// The whole database as it is at one moment, without anything that was deleted, into a file that is empty.
pub(super) const COPY_SQLITE: &str = "VACUUM INTO $1";
/// With the pages that are free: a copy has none of them.
pub(super) const SIZE_SQLITE: &str =
    "SELECT c.page_count * s.page_size FROM pragma_page_count() c, pragma_page_size() s";
pub(super) const SOUND: &str = "PRAGMA quick_check(1)";
/// How long a table is waited for before it is written anew.
pub(super) const WAIT_POSTGRES: &str = "SELECT set_config('lock_timeout', '2s', true)";
/// For each table with a text column that is not ordered by bytes, the statement that mends it.
pub(super) const UNORDERED_POSTGRES: &str = "SELECT format('ALTER TABLE %I.%I %s', n.nspname, t.relname, \
    string_agg(format('ALTER COLUMN %I TYPE TEXT COLLATE \"C\"', a.attname), ', ' ORDER BY a.attnum)) \
    FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
    JOIN pg_collation c ON c.oid = a.attcollation WHERE n.nspname = current_schema() AND t.relkind IN ('r', 'p') \
    AND t.relname <> '_sqlx_migrations' AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'text'::regtype \
    AND c.collname <> 'C' GROUP BY n.nspname, t.relname ORDER BY t.relname";
pub(super) const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

pub(super) const ENQUEUE: &str = "INSERT INTO job (id, kind, payload, tenant, unique_key, run_at, deadline, state, claims, \
    created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'ready', 0, $8) ON CONFLICT (kind, unique_key) DO NOTHING";

pub(super) const SET_ASIDE: &str = "INSERT INTO job (id, kind, payload, tenant, unique_key, run_at, state, claims, last_error, \
    created_at) VALUES ($1, $2, $3, $4, $5, $6, 'quarantined', 1, $7, $6) ON CONFLICT (kind, unique_key) DO NOTHING";

pub(super) const CLAIM_SQLITE: &str = "UPDATE job SET lease_until = $1, lease_token = $2, claims = claims + 1, woken = 0 \
    WHERE id IN (SELECT id FROM job WHERE state = 'ready' AND run_at <= $3 AND (lease_until IS NULL OR lease_until < $3) \
    AND ($5 = '' OR kind = $5) ORDER BY run_at LIMIT $4) \
    RETURNING id, kind, payload, tenant, claims, failures, deadline";

pub(super) const CLAIM_POSTGRES: &str = "UPDATE job SET lease_until = $1, lease_token = $2, claims = claims + 1, woken = 0 \
    WHERE id IN (SELECT id FROM job WHERE state = 'ready' AND run_at <= $3 AND (lease_until IS NULL OR lease_until < $3) \
    AND ($5 = '' OR kind = $5) ORDER BY run_at LIMIT $4 FOR UPDATE SKIP LOCKED) \
    RETURNING id, kind, payload, tenant, claims, failures, deadline";

pub(super) const HEARTBEAT: &str =
    "UPDATE job SET lease_until = $1 WHERE id = $2 AND lease_token = $3 AND claims = $4 AND state = 'ready'";

pub(super) const FINISH: &str =
    "DELETE FROM job WHERE id = $1 AND lease_token = $2 AND claims = $3 AND state = 'ready'";

pub(super) const RETRY: &str = "UPDATE job SET run_at = $1, lease_until = NULL, lease_token = NULL, last_error = $2, \
    failures = $3 WHERE id = $4 AND lease_token = $5 AND claims = $6 AND state = 'ready'";

/// One that was woken meanwhile stays due.
pub(super) const SNOOZE: &str = "UPDATE job SET run_at = CASE WHEN woken = 1 AND run_at < $1 THEN run_at ELSE $1 END, \
    lease_until = NULL, lease_token = NULL, claims = 0, failures = 0, last_error = NULL \
    WHERE id = $2 AND lease_token = $3 AND claims = $4 AND state = 'ready'";

pub(super) const WAKE: &str = "UPDATE job SET woken = 1, run_at = CASE WHEN run_at > $1 THEN $1 ELSE run_at END \
    WHERE kind = $2 AND unique_key = $3 AND state = 'ready'";

pub(super) const FREE_ALL: &str =
    "UPDATE job SET lease_until = NULL, lease_token = NULL WHERE state = 'ready' AND lease_until IS NOT NULL";

pub(super) const QUARANTINE: &str = "UPDATE job SET state = 'quarantined', lease_until = NULL, lease_token = NULL, \
    last_error = $1 WHERE id = $2 AND lease_token = $3 AND claims = $4 AND state = 'ready'";

pub(super) const RELEASE: &str = "UPDATE job SET state = 'ready', claims = 0, failures = 0, run_at = $1, last_error = NULL \
    WHERE id = $2 AND state = 'quarantined'";

pub(super) const COUNT: &str = "SELECT state, COUNT(*) FROM job GROUP BY state";

pub(super) const TROUBLED: &str = "SELECT id, kind, tenant, claims, last_error, run_at, state FROM job \
    WHERE state = 'quarantined' OR claims > 1 ORDER BY run_at LIMIT $1";

pub(super) const NEXT_RUN: &str = "SELECT MIN(run_at) FROM job WHERE state = 'ready' AND lease_until IS NULL";

pub(super) const IDEM_FIND: &str = "SELECT request_hash, state, status, body FROM idempotency \
    WHERE tenant = $1 AND caller = $2 AND route = $3 AND key_hash = $4";
/// A run that was cut off long enough ago loses the key to the next. One that an older program began bears no time of its own:
/// it began when it was called.
pub(super) const IDEM_BEGIN: &str = "INSERT INTO idempotency (tenant, caller, route, key_hash, request_hash, state, created_at, \
    owner, begun_at) VALUES ($1, $2, $3, $4, $5, 'running', $6, $7, $6) ON CONFLICT (tenant, caller, route, key_hash) \
    DO UPDATE SET owner = excluded.owner, begun_at = excluded.begun_at WHERE idempotency.state = 'running' \
    AND COALESCE(idempotency.begun_at, idempotency.created_at) < $8 AND idempotency.request_hash = excluded.request_hash \
    RETURNING created_at";
pub(super) const IDEM_FINISH: &str = "UPDATE idempotency SET state = 'done', status = $1, body = $2 \
    WHERE tenant = $3 AND caller = $4 AND route = $5 AND key_hash = $6 AND state = 'running' AND owner = $7";
pub(super) const IDEM_ABANDON: &str = "DELETE FROM idempotency WHERE tenant = $1 AND caller = $2 AND route = $3 \
    AND key_hash = $4 AND state = 'running' AND owner = $5";
/// The next call takes it up at once, as one that was cut off.
pub(super) const IDEM_BREAK_OFF: &str = "UPDATE idempotency SET begun_at = 0 WHERE tenant = $1 AND caller = $2 \
    AND route = $3 AND key_hash = $4 AND state = 'running' AND owner = $5";
pub(super) const IDEM_FREE_ALL: &str = "UPDATE idempotency SET begun_at = 0 WHERE state = 'running'";
pub(super) const IDEM_EXPIRE: &str = "DELETE FROM idempotency WHERE created_at < $1";
pub(super) const IDEM_FORGET: &str = "DELETE FROM idempotency WHERE tenant = $1 AND caller = $2";
