-- What people let agents ask for in their name. Who the agent is and what they first asked lie sealed until the person has
-- answered, and in the person's own records after that. An address is found by its keyed index alone.
CREATE TABLE mandate (
    id            TEXT PRIMARY KEY NOT NULL,
    tenant        TEXT NOT NULL,
    subject       TEXT,
    key_id        TEXT,
    address_index BYTEA,
    state         TEXT NOT NULL CHECK (state IN ('asked', 'deciding', 'confirmed', 'declined', 'ended')),
    rights        TEXT NOT NULL,
    tells         BIGINT NOT NULL,
    sealed        BYTEA,
    token_hash    BYTEA,
    record        TEXT,
    requests      TEXT NOT NULL,
    asked_at      BIGINT NOT NULL,
    posted_at     BIGINT,
    answer_until  BIGINT NOT NULL,
    until_at      BIGINT NOT NULL,
    ended_at      BIGINT
);
CREATE INDEX mandate_subject ON mandate (tenant, subject) WHERE subject IS NOT NULL;
CREATE INDEX mandate_address ON mandate (tenant, address_index, asked_at);
CREATE INDEX mandate_token ON mandate (tenant, token_hash) WHERE token_hash IS NOT NULL;
CREATE INDEX mandate_state ON mandate (state, until_at);
