-- Addresses of apps that are told of events. What signs is sealed; during a change of it two are live.
CREATE TABLE webhook (
    id            TEXT PRIMARY KEY NOT NULL,
    tenant        TEXT NOT NULL,
    url           TEXT NOT NULL,
    events        TEXT NOT NULL,
    label         TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('on', 'off', 'stopped')),
    why           TEXT,
    secret        BLOB NOT NULL,
    old_secret    BLOB,
    old_until     INTEGER,
    made_at       INTEGER NOT NULL,
    failing_since INTEGER,
    failures      INTEGER NOT NULL,
    quiet_until   INTEGER
) STRICT;
CREATE INDEX webhook_tenant ON webhook (tenant, id);

-- What happened, by ids alone. Of somebody who was erased the id is sealed, and blanked once it was told.
CREATE TABLE webhook_message (
    id      TEXT PRIMARY KEY NOT NULL,
    tenant  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    subject TEXT,
    about   TEXT,
    sealed  BLOB,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_message_subject ON webhook_message (tenant, subject) WHERE subject IS NOT NULL;
CREATE INDEX webhook_message_at ON webhook_message (at);

-- One message on its way to one address, and the log of it.
CREATE TABLE webhook_delivery (
    id       TEXT PRIMARY KEY NOT NULL,
    tenant   TEXT NOT NULL,
    webhook  TEXT NOT NULL,
    message  TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    tries    INTEGER NOT NULL,
    made_at  INTEGER NOT NULL,
    next_at  INTEGER,
    tried_at INTEGER,
    status   INTEGER,
    failure  TEXT,
    millis   INTEGER,
    UNIQUE (webhook, message)
) STRICT;
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_delivery_log ON webhook_delivery (webhook, id);
CREATE INDEX webhook_delivery_message ON webhook_delivery (message);
