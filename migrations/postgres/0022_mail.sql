-- Letters that may be requests and wait for their writer to confirm them. Who wrote and what lies sealed, until then and no
-- longer; letters and writers are found by keyed indexes. A row goes when its link is over, or thirty days after it was used.
CREATE TABLE mail (
    id            TEXT PRIMARY KEY NOT NULL,
    tenant        TEXT NOT NULL,
    subject       TEXT,
    message_index BYTEA NOT NULL,
    address_index BYTEA NOT NULL,
    asked         TEXT,
    dkim          TEXT NOT NULL,
    dmarc         TEXT NOT NULL,
    spf           TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'filing', 'filed', 'nobody', 'declined')),
    sealed        BYTEA,
    token_hash    BYTEA,
    request       TEXT,
    again         BIGINT NOT NULL,
    received_at   BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    posted_at     BIGINT,
    UNIQUE (tenant, message_index)
);
CREATE INDEX mail_address ON mail (tenant, address_index, received_at);
CREATE INDEX mail_received ON mail (tenant, received_at);
CREATE INDEX mail_expires ON mail (expires_at);
CREATE INDEX mail_subject ON mail (tenant, subject) WHERE subject IS NOT NULL;
CREATE INDEX mail_token ON mail (tenant, token_hash) WHERE token_hash IS NOT NULL;
