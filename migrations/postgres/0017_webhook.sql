-- Addresses of apps that are told of events. What signs is sealed; during a change of it two are live.
CREATE TABLE webhook (
    id            TEXT PRIMARY KEY NOT NULL,
    tenant        TEXT NOT NULL,
    url           TEXT NOT NULL,
    events        TEXT NOT NULL,
    label         TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('on', 'off', 'stopped')),
    why           TEXT,
    secret        BYTEA NOT NULL,
    old_secret    BYTEA,
    old_until     BIGINT,
    made_at       BIGINT NOT NULL,
    failing_since BIGINT,
    failures      BIGINT NOT NULL,
    quiet_until   BIGINT
);
CREATE INDEX webhook_tenant ON webhook (tenant, id);

-- What happened, by ids alone. Of somebody who was erased the id is sealed, and blanked once it was told.
CREATE TABLE webhook_message (
    id      TEXT PRIMARY KEY NOT NULL,
    tenant  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    subject TEXT,
    about   TEXT,
    sealed  BYTEA,
    at      BIGINT NOT NULL
);
CREATE INDEX webhook_message_subject ON webhook_message (tenant, subject) WHERE subject IS NOT NULL;
CREATE INDEX webhook_message_at ON webhook_message (at);

-- One message on its way to one address, and the log of it.
CREATE TABLE webhook_delivery (
    id       TEXT PRIMARY KEY NOT NULL,
    tenant   TEXT NOT NULL,
    webhook  TEXT NOT NULL,
    message  TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    tries    BIGINT NOT NULL,
    made_at  BIGINT NOT NULL,
    next_at  BIGINT,
    tried_at BIGINT,
    status   BIGINT,
    failure  TEXT,
    millis   BIGINT,
    UNIQUE (webhook, message)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_delivery_log ON webhook_delivery (webhook, id);
CREATE INDEX webhook_delivery_message ON webhook_delivery (message);
