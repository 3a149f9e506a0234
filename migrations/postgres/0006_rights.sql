-- A rights request. What the person wrote is sealed in the vault.
CREATE TABLE request (
    id           TEXT PRIMARY KEY NOT NULL,
    reference    TEXT NOT NULL UNIQUE,
    tenant       TEXT NOT NULL,
    subject      TEXT,
    rights       TEXT NOT NULL,
    state        TEXT NOT NULL,
    channel      TEXT NOT NULL,
    detail       TEXT,
    received_at  BIGINT NOT NULL,
    promise_due  BIGINT NOT NULL,
    legal_due    BIGINT NOT NULL,
    grace_until  BIGINT,
    extended_at  BIGINT,
    answered_at  BIGINT,
    closed_at    BIGINT,
    purge_at     BIGINT,
    outcome      TEXT,
    receipt      TEXT
);
CREATE INDEX request_queue ON request (tenant, state, promise_due);
CREATE INDEX request_subject ON request (tenant, subject, id);

CREATE TABLE request_event (
    id      TEXT PRIMARY KEY NOT NULL,
    tenant  TEXT NOT NULL,
    request TEXT NOT NULL,
    at      BIGINT NOT NULL,
    role    TEXT NOT NULL,
    kind    TEXT NOT NULL,
    entry   TEXT
);
CREATE INDEX request_event_request ON request_event (tenant, request, id);

-- One store or recipient to be dealt with for a request, and the proof that it was.
CREATE TABLE request_task (
    request TEXT NOT NULL,
    tenant  TEXT NOT NULL,
    target  TEXT NOT NULL,
    state   TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
    proof   TEXT,
    tries   BIGINT NOT NULL,
    due_at  BIGINT NOT NULL,
    done_at BIGINT,
    PRIMARY KEY (request, target)
);

-- An erasure under way, and what it must leave behind: nothing. Ids and key fingerprints only.
CREATE TABLE erasure (
    id            TEXT PRIMARY KEY NOT NULL,
    tenant        TEXT NOT NULL,
    subject       TEXT NOT NULL UNIQUE,
    request       TEXT,
    state         TEXT NOT NULL CHECK (state IN ('fenced', 'destroyed', 'verified', 'failed')),
    manifest      TEXT NOT NULL,
    started_at    BIGINT NOT NULL,
    destroyed_at  BIGINT,
    verified_at   BIGINT,
    findings      TEXT,
    receipt       TEXT
);
CREATE INDEX erasure_open ON erasure (state, started_at);

CREATE TABLE hold (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    subject     TEXT,
    category    TEXT,
    matter      TEXT NOT NULL,
    reason      TEXT NOT NULL,
    placed_by   TEXT NOT NULL,
    placed_at   BIGINT NOT NULL,
    review_at   BIGINT NOT NULL,
    released_by TEXT,
    released_at BIGINT
);
CREATE INDEX hold_live ON hold (tenant, subject) WHERE released_at IS NULL;

-- Receipts that outlive what they are about. They hold no personal data; the id is the only way to one.
CREATE TABLE receipt (
    id         TEXT PRIMARY KEY NOT NULL,
    tenant     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    subject    TEXT,
    entry      TEXT NOT NULL,
    opening    BYTEA,
    sentence   TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX receipt_subject ON receipt (tenant, subject);
CREATE INDEX receipt_entry ON receipt (entry);

-- What each run of a retention rule did.
CREATE TABLE sweep (
    id       TEXT PRIMARY KEY NOT NULL,
    tenant   TEXT NOT NULL,
    rule     TEXT NOT NULL,
    category TEXT NOT NULL,
    at       BIGINT NOT NULL,
    erased   BIGINT NOT NULL,
    lateness BIGINT NOT NULL,
    entry    TEXT
);
CREATE INDEX sweep_rule ON sweep (tenant, rule, at);
