-- Bringing a restored installation up to date: under way while done_at is null, and then the service is shut, on every
-- replica. Sizes of the ledger and counts; nobody's data.
CREATE TABLE restoration (
    id          TEXT PRIMARY KEY NOT NULL,
    why         TEXT NOT NULL CHECK (why IN ('behind', 'keys', 'placed')),
    begun_at    BIGINT NOT NULL,
    ledger_from BIGINT NOT NULL,
    ledger_to   BIGINT,
    counts      TEXT,
    done_at     BIGINT
);
CREATE INDEX restoration_open ON restoration (begun_at) WHERE done_at IS NULL;
