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
    received_at     INTEGER NOT NULL,
    promise_due     INTEGER NOT NULL,
    internal_due    INTEGER NOT NULL,
    legal_due       INTEGER NOT NULL,
    extended_due    INTEGER NOT NULL,
    grace_until     INTEGER,
    extended_at     INTEGER,
    answered_at     INTEGER,
    closed_at       INTEGER,
    purge_at        INTEGER,
    outcome         TEXT,
    receipt         TEXT,
    made_at         INTEGER,
    archive_len     INTEGER,
    archive_sha256  BLOB,
    available_until INTEGER,
    delivered_at    INTEGER,
    alarm           INTEGER NOT NULL,
    tries           INTEGER NOT NULL,
    problem         TEXT,
    next_at         INTEGER,
    revision        INTEGER NOT NULL
) STRICT;
CREATE INDEX request_queue ON request (tenant, promise_due, id);
CREATE INDEX request_subject ON request (tenant, subject, id);
CREATE INDEX request_next ON request (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX request_unanswered ON request (promise_due) WHERE answered_at IS NULL;
CREATE INDEX request_purge ON request (purge_at) WHERE purge_at IS NOT NULL;

CREATE TABLE request_event (
    id      TEXT PRIMARY KEY NOT NULL,
    tenant  TEXT NOT NULL,
    request TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    role    TEXT NOT NULL,
    kind    TEXT NOT NULL,
    note    TEXT,
    entry   TEXT
) STRICT;
CREATE INDEX request_event_request ON request_event (tenant, request, seq);

-- One store or recipient to be dealt with for a request, and the proof that it was.
CREATE TABLE request_task (
    request TEXT NOT NULL,
    tenant  TEXT NOT NULL,
    target  TEXT NOT NULL,
    state   TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
    proof   TEXT,
    tries   INTEGER NOT NULL,
    due_at  INTEGER NOT NULL,
    done_at INTEGER,
    PRIMARY KEY (request, target)
) STRICT;

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
    images        INTEGER NOT NULL,
    records       INTEGER NOT NULL,
    key           TEXT,
    started_at    INTEGER NOT NULL,
    destroyed_at  INTEGER,
    verified_at   INTEGER,
    findings      TEXT,
    receipt       TEXT,
    tries         INTEGER NOT NULL,
    next_at       INTEGER
) STRICT;
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
    placed_at   INTEGER NOT NULL,
    review_at   INTEGER NOT NULL,
    released_by TEXT,
    released_at INTEGER
) STRICT;
CREATE INDEX hold_live ON hold (tenant, subject) WHERE released_at IS NULL;

-- Receipts that outlive what they are about. They hold no personal data; the id is the only way to one.
CREATE TABLE receipt (
    id         TEXT PRIMARY KEY NOT NULL,
    tenant     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    subject    TEXT,
    entry      TEXT NOT NULL,
    opening    BLOB,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX receipt_subject ON receipt (tenant, subject);
CREATE INDEX receipt_entry ON receipt (entry);

-- What each run of a retention rule did.
CREATE TABLE sweep (
    id       TEXT PRIMARY KEY NOT NULL,
    tenant   TEXT NOT NULL,
    rule     TEXT NOT NULL,
    category TEXT NOT NULL,
    at       INTEGER NOT NULL,
    erased   INTEGER NOT NULL,
    lateness INTEGER NOT NULL,
    entry    TEXT
) STRICT;
CREATE INDEX sweep_rule ON sweep (tenant, rule, at);
