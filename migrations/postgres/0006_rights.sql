-- A rights request. What the person wrote is sealed in the vault; after their erasure the row stays without them.
CREATE TABLE request (
    id              TEXT PRIMARY KEY NOT NULL,
    reference       TEXT NOT NULL UNIQUE,
    tenant          TEXT NOT NULL,
    subject         TEXT,
    asked           TEXT NOT NULL CHECK (asked IN ('access', 'portability', 'rectification', 'erasure', 'restriction',
        'objection', 'withdrawal')),
    about           TEXT,
    state           TEXT NOT NULL CHECK (state IN ('received', 'acknowledged', 'identity-pending', 'grace', 'working',
        'fulfilled', 'partly-fulfilled', 'refused', 'no-data', 'closed', 'withdrawn')),
    channel         TEXT NOT NULL,
    detail          TEXT,
    received_at     BIGINT NOT NULL,
    promise_due     BIGINT NOT NULL,
    internal_due    BIGINT NOT NULL,
    legal_due       BIGINT NOT NULL,
    extended_due    BIGINT NOT NULL,
    grace_until     BIGINT,
    extended_at     BIGINT,
    answered_at     BIGINT,
    closed_at       BIGINT,
    purge_at        BIGINT,
    outcome         TEXT,
    receipt         TEXT,
    made_at         BIGINT,
    archive_len     BIGINT,
    archive_sha256  BYTEA,
    available_until BIGINT,
    delivered_at    BIGINT,
    alarm           BIGINT NOT NULL,
    tries           BIGINT NOT NULL,
    problem         TEXT,
    next_at         BIGINT,
    revision        BIGINT NOT NULL
);
CREATE INDEX request_queue ON request (tenant, promise_due, id);
CREATE INDEX request_subject ON request (tenant, subject, id);
CREATE INDEX request_next ON request (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX request_unanswered ON request (promise_due) WHERE answered_at IS NULL;
CREATE INDEX request_purge ON request (purge_at) WHERE purge_at IS NOT NULL;

CREATE TABLE request_event (
    id      TEXT PRIMARY KEY NOT NULL,
    tenant  TEXT NOT NULL,
    request TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    role    TEXT NOT NULL,
    kind    TEXT NOT NULL,
    note    TEXT,
    entry   TEXT
);
CREATE INDEX request_event_request ON request_event (tenant, request, seq);

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

-- An erasure under way, and what it must leave behind: nothing. Ids and key fingerprints only; the last step blanks
-- the subject and the manifest.
CREATE TABLE erasure (
    id            TEXT PRIMARY KEY NOT NULL,
    tenant        TEXT NOT NULL,
    subject       TEXT UNIQUE,
    request       TEXT,
    actor         TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('fenced', 'listed', 'destroyed', 'cleared', 'failed', 'verified',
        'closed')),
    manifest      TEXT NOT NULL,
    images        BIGINT NOT NULL,
    records       BIGINT NOT NULL,
    key           TEXT,
    started_at    BIGINT NOT NULL,
    destroyed_at  BIGINT,
    verified_at   BIGINT,
    findings      TEXT,
    receipt       TEXT,
    tries         BIGINT NOT NULL,
    next_at       BIGINT
);
CREATE INDEX erasure_next ON erasure (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX erasure_tenant ON erasure (tenant, id);
CREATE INDEX erasure_request ON erasure (request) WHERE request IS NOT NULL;

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
