-- One edit. What was asked (prompt, settings) is sealed in the vault; here are only states and ids.
CREATE TABLE edit (
    id            TEXT PRIMARY KEY NOT NULL,
    tenant        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    provider      TEXT NOT NULL,
    provider_ref  TEXT,
    model         TEXT NOT NULL,
    inputs        TEXT NOT NULL,
    output        TEXT,
    prompt        TEXT,
    settings      TEXT,
    progress      INTEGER NOT NULL,
    cost          INTEGER NOT NULL,
    error         TEXT,
    created_at    INTEGER NOT NULL,
    started_at    INTEGER,
    ended_at      INTEGER,
    cleaned_at    INTEGER
) STRICT;
CREATE INDEX edit_owner ON edit (tenant, subject, id);
CREATE INDEX edit_open ON edit (state, created_at) WHERE state IN ('queued', 'running');
CREATE INDEX edit_provider ON edit (tenant, provider, provider_ref) WHERE provider_ref IS NOT NULL;

-- Credits: grants and spends; the balance is their sum and cannot go below zero.
CREATE TABLE credit_entry (
    id      TEXT PRIMARY KEY NOT NULL,
    tenant  TEXT NOT NULL,
    subject TEXT NOT NULL,
    amount  INTEGER NOT NULL,
    balance INTEGER NOT NULL CHECK (balance >= 0),
    reason  TEXT NOT NULL,
    edit    TEXT,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    UNIQUE (tenant, subject, seq)
) STRICT;

-- What left the house, to whom, and whether it is known to be gone there.
CREATE TABLE disclosure (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    subject     TEXT,
    processor   TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    categories  TEXT NOT NULL,
    edit        TEXT,
    bytes_out   INTEGER NOT NULL,
    sent_at     INTEGER NOT NULL,
    delete_due  INTEGER,
    deleted_at  INTEGER,
    proof       TEXT,
    entry       TEXT
) STRICT;
CREATE INDEX disclosure_subject ON disclosure (tenant, subject, id);
CREATE INDEX disclosure_open ON disclosure (tenant, processor, delete_due) WHERE deleted_at IS NULL;
