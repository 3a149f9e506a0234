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
    progress      BIGINT NOT NULL,
    cost          BIGINT NOT NULL,
    error         TEXT,
    created_at    BIGINT NOT NULL,
    started_at    BIGINT,
    ended_at      BIGINT,
    cleaned_at    BIGINT
);
CREATE INDEX edit_owner ON edit (tenant, subject, id);
CREATE INDEX edit_open ON edit (state, created_at) WHERE state IN ('queued', 'running');
CREATE INDEX edit_provider ON edit (tenant, provider, provider_ref) WHERE provider_ref IS NOT NULL;

-- Credits: grants and spends; the balance is their sum and cannot go below zero.
CREATE TABLE credit_entry (
    id      TEXT PRIMARY KEY NOT NULL,
    tenant  TEXT NOT NULL,
    subject TEXT NOT NULL,
    amount  BIGINT NOT NULL,
    balance BIGINT NOT NULL CHECK (balance >= 0),
    reason  TEXT NOT NULL,
    edit    TEXT,
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    UNIQUE (tenant, subject, seq)
);

-- What left the house, to whom, and whether it is known to be gone there.
CREATE TABLE disclosure (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    subject     TEXT,
    processor   TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    categories  TEXT NOT NULL,
    edit        TEXT,
    bytes_out   BIGINT NOT NULL,
    sent_at     BIGINT NOT NULL,
    delete_due  BIGINT,
    deleted_at  BIGINT,
    proof       TEXT,
    entry       TEXT
);
CREATE INDEX disclosure_subject ON disclosure (tenant, subject, id);
CREATE INDEX disclosure_open ON disclosure (tenant, processor, delete_due) WHERE deleted_at IS NULL;
