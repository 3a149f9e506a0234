-- When the mail server took a letter. One that was noted and not taken is tried again.
ALTER TABLE letter ADD COLUMN sent_at BIGINT;
UPDATE letter SET sent_at = at;

-- What was shown for an attestation besides words: a file, sealed. The id is that of the ledger entry.
CREATE TABLE attestation_file (
    id     TEXT PRIMARY KEY NOT NULL,
    tenant TEXT NOT NULL,
    sealed BYTEA NOT NULL
);
