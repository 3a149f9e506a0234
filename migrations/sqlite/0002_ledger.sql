-- Entries of the ledger, in the order of the tree once seq is set. Public facts and commitments: no personal data.
-- Rows are never deleted, and change once only: when seq is set.
CREATE TABLE ledger_entry (
    id          TEXT PRIMARY KEY NOT NULL,
    arrival     INTEGER NOT NULL,
    seq         INTEGER UNIQUE,
    tenant      TEXT,
    kind        TEXT NOT NULL,
    subject_ref TEXT,
    happened_at INTEGER NOT NULL,
    leaf        BLOB NOT NULL
) STRICT;
CREATE INDEX ledger_entry_pending ON ledger_entry (arrival) WHERE seq IS NULL;
CREATE INDEX ledger_entry_tenant ON ledger_entry (tenant, seq) WHERE seq IS NOT NULL;
CREATE INDEX ledger_entry_kind ON ledger_entry (tenant, kind, seq) WHERE seq IS NOT NULL;
CREATE INDEX ledger_entry_subject ON ledger_entry (tenant, subject_ref, seq) WHERE subject_ref IS NOT NULL;

-- The tree's hashes in tiles of up to 256 (C2SP tlog-tiles), 32 bytes each. A tile only ever grows.
CREATE TABLE ledger_tile (
    level  INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, n)
) STRICT;

-- Every checkpoint ever signed.
CREATE TABLE ledger_checkpoint (
    size      INTEGER NOT NULL UNIQUE,
    signed_at INTEGER NOT NULL,
    note      TEXT NOT NULL
) STRICT;

-- The newest one: a single row that sequencers take turns on.
CREATE TABLE ledger_head (
    slot      INTEGER NOT NULL UNIQUE CHECK (slot = 1),
    turn      INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    signed_at INTEGER NOT NULL,
    note      TEXT NOT NULL
) STRICT;
