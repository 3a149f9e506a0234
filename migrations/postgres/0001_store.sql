-- The queue: ids only, never personal data.
CREATE TABLE job (
    id          TEXT PRIMARY KEY NOT NULL,
    kind        TEXT NOT NULL,
    payload     TEXT NOT NULL,
    tenant      TEXT,
    unique_key  TEXT NOT NULL,
    run_at      BIGINT NOT NULL,
    deadline    BIGINT,
    state       TEXT NOT NULL CHECK (state IN ('ready', 'quarantined')),
    claims      BIGINT NOT NULL,
    lease_until BIGINT,
    lease_token BYTEA,
    last_error  TEXT,
    created_at  BIGINT NOT NULL,
    UNIQUE (kind, unique_key)
);
CREATE INDEX job_due ON job (state, run_at);

-- Answers of calls that carried an Idempotency-Key. Bodies are sealed.
CREATE TABLE idempotency (
    tenant       TEXT NOT NULL,
    caller       TEXT NOT NULL,
    route        TEXT NOT NULL,
    key_hash     BYTEA NOT NULL,
    request_hash BYTEA NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('running', 'done')),
    status       BIGINT,
    body         BYTEA,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (tenant, caller, route, key_hash)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
