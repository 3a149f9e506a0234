-- The queue: ids only, never personal data.
CREATE TABLE job (
    id          TEXT PRIMARY KEY NOT NULL,
    kind        TEXT NOT NULL,
    payload     TEXT NOT NULL,
    tenant      TEXT,
    unique_key  TEXT NOT NULL,
    run_at      INTEGER NOT NULL,
    deadline    INTEGER,
    state       TEXT NOT NULL CHECK (state IN ('ready', 'quarantined')),
    claims      INTEGER NOT NULL,
    lease_until INTEGER,
    lease_token BLOB,
    last_error  TEXT,
    created_at  INTEGER NOT NULL,
    UNIQUE (kind, unique_key)
) STRICT;
CREATE INDEX job_due ON job (state, run_at);

-- Answers of calls that carried an Idempotency-Key. Bodies are sealed.
CREATE TABLE idempotency (
    tenant       TEXT NOT NULL,
    caller       TEXT NOT NULL,
    route        TEXT NOT NULL,
    key_hash     BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('running', 'done')),
    status       INTEGER,
    body         BLOB,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant, caller, route, key_hash)
) STRICT;
CREATE INDEX idempotency_age ON idempotency (created_at);
