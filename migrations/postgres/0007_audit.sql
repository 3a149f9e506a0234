-- How each check of a tenant's document stands: its last run. Names, counts and sentences about counts; nobody's data.
CREATE TABLE probe_state (
    tenant      TEXT NOT NULL,
    probe       TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('passed', 'failed', 'cannot-run')),
    figure      TEXT NOT NULL,
    checked     BIGINT NOT NULL,
    found       BIGINT NOT NULL,
    parts       TEXT NOT NULL,
    at          BIGINT NOT NULL,
    since       BIGINT NOT NULL,
    entry       TEXT,
    recorded_at BIGINT,
    PRIMARY KEY (tenant, probe)
);

-- The dated evidence: a run that changed the state, and one a day. The id is that of its ledger entry.
CREATE TABLE probe_run (
    id      TEXT PRIMARY KEY NOT NULL,
    tenant  TEXT NOT NULL,
    probe   TEXT NOT NULL,
    state   TEXT NOT NULL CHECK (state IN ('passed', 'failed', 'cannot-run')),
    figure  TEXT NOT NULL,
    checked BIGINT NOT NULL,
    found   BIGINT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX probe_run_probe ON probe_run (tenant, probe, id);

-- What people vouched for. The evidence is sealed: it may name colleagues. The id is that of the ledger entry.
CREATE TABLE attestation (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    attestation TEXT NOT NULL,
    staff       TEXT NOT NULL,
    at          BIGINT NOT NULL,
    sealed      BYTEA NOT NULL
);
CREATE INDEX attestation_latest ON attestation (tenant, attestation, id);

-- The auditor compares the register of disclosures with the ledger and with the edits.
CREATE INDEX disclosure_entry ON disclosure (entry) WHERE entry IS NOT NULL;
CREATE INDEX disclosure_edit ON disclosure (edit) WHERE edit IS NOT NULL;
