-- Letters that may be requests and wait for their writer to confirm them. Who wrote and what lies sealed, until then and no
-- longer; letters and writers are found by keyed indexes. A row goes when its link is over, or thirty days after it was used.
CREATE TABLE mail (
    id            TEXT PRIMARY KEY NOT NULL,
    tenant        TEXT NOT NULL,
    subject       TEXT,
    message_index BLOB NOT NULL,
    address_index BLOB NOT NULL,
    asked         TEXT,
    dkim          TEXT NOT NULL,
    dmarc         TEXT NOT NULL,
    spf           TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'filing', 'filed', 'nobody', 'declined')),
    sealed        BLOB,
    token_hash    BLOB,
    request       TEXT,
    again         INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    posted_at     INTEGER,
    UNIQUE (tenant, message_index)
) STRICT;
CREATE INDEX mail_address ON mail (tenant, address_index, received_at);
CREATE INDEX mail_received ON mail (tenant, received_at);
CREATE INDEX mail_expires ON mail (expires_at);
CREATE INDEX mail_subject ON mail (tenant, subject) WHERE subject IS NOT NULL;
CREATE INDEX mail_token ON mail (tenant, token_hash) WHERE token_hash IS NOT NULL;
