-- Published documents. A version never changes.
CREATE TABLE policy_version (
    tenant       TEXT NOT NULL,
    version      TEXT NOT NULL,
    effective_at BIGINT NOT NULL,
    hash         BYTEA NOT NULL,
    source       TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    entry        TEXT NOT NULL,
    PRIMARY KEY (tenant, version)
);

-- People, without a word about them: that is in the vault.
CREATE TABLE subject (
    id             TEXT PRIMARY KEY NOT NULL,
    tenant         TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('active', 'erasing')),
    generation     BIGINT NOT NULL,
    email_index    BYTEA,
    policy_version TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    last_active_at BIGINT NOT NULL,
    warned_at      BIGINT,
    warnings       BIGINT NOT NULL,
    restricted_at  BIGINT,
    UNIQUE (tenant, email_index)
);
CREATE INDEX subject_activity ON subject (tenant, last_active_at);

-- Logins of an app's own identity provider, found by keyed index.
CREATE TABLE subject_login (
    tenant      TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    login_index BYTEA NOT NULL,
    subject     TEXT NOT NULL,
    PRIMARY KEY (tenant, issuer, login_index)
);
CREATE INDEX subject_login_subject ON subject_login (tenant, subject);

-- Every word a person gave about a purpose. Append-only.
CREATE TABLE consent_event (
    id             TEXT PRIMARY KEY NOT NULL,
    tenant         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    purpose        TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('given', 'refused', 'withdrawn', 'objected')),
    at             BIGINT NOT NULL,
    method         TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    notice_hash    BYTEA NOT NULL,
    receipt        TEXT
);
CREATE INDEX consent_latest ON consent_event (tenant, subject, purpose, at, id);

CREATE TABLE staff (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    role        TEXT NOT NULL CHECK (role IN ('support', 'compliance', 'admin')),
    email_index BYTEA NOT NULL,
    sealed      BYTEA NOT NULL,
    created_at  BIGINT NOT NULL,
    disabled_at BIGINT,
    UNIQUE (tenant, email_index)
);

CREATE TABLE session (
    token_hash   BYTEA PRIMARY KEY NOT NULL,
    id           TEXT NOT NULL UNIQUE,
    tenant       TEXT NOT NULL,
    subject      TEXT,
    staff        TEXT,
    created_at   BIGINT NOT NULL,
    proved_at    BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX session_subject ON session (tenant, subject);
CREATE INDEX session_expiry ON session (expires_at);

-- One-time links. Only the hash of the token is kept.
CREATE TABLE sign_in (
    token_hash   BYTEA PRIMARY KEY NOT NULL,
    tenant       TEXT NOT NULL,
    email_index  BYTEA,
    subject      TEXT,
    staff        TEXT,
    browser_hash BYTEA,
    sealed       BYTEA,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    used_at      BIGINT
);
CREATE INDEX sign_in_address ON sign_in (tenant, email_index, created_at);
CREATE INDEX sign_in_expiry ON sign_in (expires_at);

CREATE TABLE api_key (
    id           TEXT PRIMARY KEY NOT NULL,
    tenant       TEXT NOT NULL,
    secret_hash  BYTEA NOT NULL,
    label        TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at   BIGINT,
    revoked_at   BIGINT
);
CREATE INDEX api_key_tenant ON api_key (tenant, id);
