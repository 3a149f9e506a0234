-- Images. The bytes lie in the blob store as age files; here is only what must be found without a key.
CREATE TABLE object (
    id             TEXT PRIMARY KEY NOT NULL,
    tenant         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    category       TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('arriving', 'live', 'deleting')),
    blob_key       TEXT NOT NULL UNIQUE,
    cipher_len     INTEGER,
    cipher_sha256  BLOB,
    meta           BLOB,
    parent         TEXT,
    facts          TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    rule           TEXT,
    kfp            BLOB,
    created_at     INTEGER NOT NULL,
    due_at         INTEGER,
    expires_at     INTEGER
) STRICT;
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
    revision       INTEGER NOT NULL,
    sealed         BLOB NOT NULL,
    parent         TEXT,
    facts          TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    rule           TEXT,
    kfp            BLOB NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    due_at         INTEGER
) STRICT;
CREATE INDEX record_owner ON record (tenant, subject, category, id);
CREATE INDEX record_due ON record (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX record_parent ON record (tenant, parent) WHERE parent IS NOT NULL;

-- Blobs whose key is gone and whose bytes must follow; kept until a late write can no longer land.
CREATE TABLE blob_grave (
    blob_key   TEXT PRIMARY KEY NOT NULL,
    tenant     TEXT NOT NULL,
    buried_at  INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    deletions  INTEGER NOT NULL
) STRICT;
CREATE INDEX blob_grave_next ON blob_grave (next_at);
