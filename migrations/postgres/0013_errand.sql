-- One edit's way to a provider and back: written before anything is sent, kept until nothing of it is left there. What
-- leads to the pictures (the provider's links) is sealed, and blanked when they are gone.
CREATE TABLE errand (
    id         TEXT PRIMARY KEY NOT NULL,
    tenant     TEXT NOT NULL,
    subject    TEXT,
    edit       TEXT,
    provider   TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('intended', 'taken', 'leaving', 'gone')),
    hook       BYTEA NOT NULL UNIQUE,
    sealed     BYTEA,
    disclosure TEXT,
    made_at    BIGINT NOT NULL,
    next_at    BIGINT,
    tries      BIGINT NOT NULL,
    gone_at    BIGINT
);
CREATE INDEX errand_edit ON errand (tenant, edit) WHERE edit IS NOT NULL;
CREATE INDEX errand_subject ON errand (tenant, subject) WHERE subject IS NOT NULL;
CREATE INDEX errand_open ON errand (tenant, provider, state) WHERE state <> 'gone';
CREATE INDEX errand_next ON errand (next_at) WHERE next_at IS NOT NULL;
