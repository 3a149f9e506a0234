-- Images. The bytes lie in the blob store as age files; here is only what must be found without a key.
CREATE TABLE object (
    id             TEXT PRIMARY KEY NOT NULL,
    tenant         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    category       TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('arriving', 'live', 'deleting')),
    blob_key       TEXT NOT NULL UNIQUE,
    cipher_len     BIGINT,
    cipher_sha256  BYTEA,
    meta           BYTEA,
    parent         TEXT,
    facts          TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    rule           TEXT,
    kfp            BYTEA,
    created_at     BIGINT NOT NULL,
    due_at         BIGINT,
    expires_at     BIGINT
);
CREATE INDEX object_owner ON object (tenant, subject, category, id);
CREATE INDEX object_due ON object (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX object_state ON object (state, expires_at) WHERE state <> 'live';
CREATE INDEX object_parent ON object (tenant, parent) WHERE parent IS NOT NULL;

-- Personal fields: one sealed JSON value a row.
CREATE TABLE record (
    id             TEXT PRIMARY KEY NOT NULL,
    tenant         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    category       TEXT NOT NULL,
    name           TEXT NOT NULL,
    revision       BIGINT NOT NULL,
    sealed         BYTEA NOT NULL,
    parent         TEXT,
    facts          TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    rule           TEXT,
    kfp            BYTEA NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    due_at         BIGINT
);
CREATE INDEX record_owner ON record (tenant, subject, category, id);
CREATE INDEX record_due ON record (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX record_parent ON record (tenant, parent) WHERE parent IS NOT NULL;

-- Blobs whose key is gone and whose bytes must follow; kept until a late write can no longer land.
CREATE TABLE blob_grave (
    blob_key   TEXT PRIMARY KEY NOT NULL,
    tenant     TEXT NOT NULL,
    buried_at  BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    deletions  BIGINT NOT NULL
);
CREATE INDEX blob_grave_next ON blob_grave (next_at);
