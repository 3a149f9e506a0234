-- Published documents. A version never changes.
CREATE TABLE policy_version (
    tenant       TEXT NOT NULL,
    version      TEXT NOT NULL,
    effective_at INTEGER NOT NULL,
    hash         BLOB NOT NULL,
    source       TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    entry        TEXT NOT NULL,
    PRIMARY KEY (tenant, version)
) STRICT;

-- People, without a word about them: that is in the vault.
CREATE TABLE subject (
    id             TEXT PRIMARY KEY NOT NULL,
    tenant         TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('active', 'erasing')),
    generation     INTEGER NOT NULL,
    email_index    BLOB,
    policy_version TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    last_active_at INTEGER NOT NULL,
    warned_at      INTEGER,
    warnings       INTEGER NOT NULL,
    restricted_at  INTEGER,
    UNIQUE (tenant, email_index)
) STRICT;
CREATE INDEX subject_activity ON subject (tenant, last_active_at);

-- Logins of an app's own identity provider, found by keyed index.
CREATE TABLE subject_login (
    tenant      TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    login_index BLOB NOT NULL,
    subject     TEXT NOT NULL,
    PRIMARY KEY (tenant, issuer, login_index)
) STRICT;
CREATE INDEX subject_login_subject ON subject_login (tenant, subject);

-- Every word a person gave about a purpose. Append-only.
CREATE TABLE consent_event (
    id             TEXT PRIMARY KEY NOT NULL,
    tenant         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    purpose        TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('given', 'refused', 'withdrawn', 'objected')),
    at             INTEGER NOT NULL,
    method         TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    notice_hash    BLOB NOT NULL,
    receipt        TEXT
) STRICT;
CREATE INDEX consent_latest ON consent_event (tenant, subject, purpose, at, id);

CREATE TABLE staff (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    role        TEXT NOT NULL CHECK (role IN ('support', 'compliance', 'admin')),
    email_index BLOB NOT NULL,
    sealed      BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    disabled_at INTEGER,
    UNIQUE (tenant, email_index)
) STRICT;

CREATE TABLE session (
    token_hash   BLOB PRIMARY KEY NOT NULL,
    id           TEXT NOT NULL UNIQUE,
    tenant       TEXT NOT NULL,
    subject      TEXT,
    staff        TEXT,
    created_at   INTEGER NOT NULL,
    proved_at    INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX session_subject ON session (tenant, subject);
CREATE INDEX session_expiry ON session (expires_at);

-- One-time links. Only the hash of the token is kept.
CREATE TABLE sign_in (
    token_hash   BLOB PRIMARY KEY NOT NULL,
    tenant       TEXT NOT NULL,
    email_index  BLOB,
    subject      TEXT,
    staff        TEXT,
    browser_hash BLOB,
    sealed       BLOB,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    used_at      INTEGER
) STRICT;
CREATE INDEX sign_in_address ON sign_in (tenant, email_index, created_at);
CREATE INDEX sign_in_expiry ON sign_in (expires_at);

CREATE TABLE api_key (
    id           TEXT PRIMARY KEY NOT NULL,
    tenant       TEXT NOT NULL,
    secret_hash  BLOB NOT NULL,
    label        TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at   INTEGER,
    revoked_at   INTEGER
) STRICT;
CREATE INDEX api_key_tenant ON api_key (tenant, id);
