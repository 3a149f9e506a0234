-- Entries of the ledger, in the order of the tree once seq is set. Public facts and commitments: no personal data.
-- Rows are never deleted, and change once only: when seq is set.
CREATE TABLE ledger_entry (
    id          TEXT PRIMARY KEY NOT NULL,
    arrival     BIGINT NOT NULL,
    seq         BIGINT UNIQUE,
    tenant      TEXT,
    kind        TEXT NOT NULL,
    subject_ref TEXT,
    happened_at BIGINT NOT NULL,
    leaf        BYTEA NOT NULL
);
CREATE INDEX ledger_entry_pending ON ledger_entry (arrival) WHERE seq IS NULL;
CREATE INDEX ledger_entry_tenant ON ledger_entry (tenant, seq) WHERE seq IS NOT NULL;
CREATE INDEX ledger_entry_kind ON ledger_entry (tenant, kind, seq) WHERE seq IS NOT NULL;
CREATE INDEX ledger_entry_subject ON ledger_entry (tenant, subject_ref, seq) WHERE subject_ref IS NOT NULL;

-- The tree's hashes in tiles of up to 256 (C2SP tlog-tiles), 32 bytes each. A tile only ever grows.
CREATE TABLE ledger_tile (
    level  BIGINT NOT NULL,
    n      BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, n)
);

-- Every checkpoint ever signed.
CREATE TABLE ledger_checkpoint (
    size      BIGINT NOT NULL UNIQUE,
    signed_at BIGINT NOT NULL,
    note      TEXT NOT NULL
);

-- The newest one: a single row that sequencers take turns on.
CREATE TABLE ledger_head (
    slot      BIGINT NOT NULL UNIQUE CHECK (slot = 1),
    turn      BIGINT NOT NULL,
    size      BIGINT NOT NULL,
    signed_at BIGINT NOT NULL,
    note      TEXT NOT NULL
);
