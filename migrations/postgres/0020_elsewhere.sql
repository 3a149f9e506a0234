-- A person's account at somebody else's. What it is called there is sealed, and found by a keyed index; both are blanked
-- when it is gone.
CREATE TABLE elsewhere (
    id         TEXT PRIMARY KEY NOT NULL,
    tenant     TEXT NOT NULL,
    subject    TEXT,
    processor  TEXT NOT NULL,
    name_index BYTEA,
    sealed     BYTEA,
    linked_at  BIGINT NOT NULL,
    gone_at    BIGINT,
    UNIQUE (tenant, processor, name_index)
);
CREATE INDEX elsewhere_subject ON elsewhere (tenant, subject);

-- What has to be done there, and how far it has come. What must be remembered between two tries is sealed.
CREATE TABLE elsewhere_task (
    id         TEXT PRIMARY KEY NOT NULL,
    tenant     TEXT NOT NULL,
    account    TEXT NOT NULL,
    subject    TEXT,
    processor  TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('correct', 'erase')),
    request    TEXT,
    erasure    TEXT,
    state      TEXT NOT NULL CHECK (state IN ('open', 'stays', 'done')),
    sealed     BYTEA,
    proof      TEXT,
    problem    TEXT,
    stay_count BIGINT NOT NULL,
    stay_until BIGINT,
    stay_why   TEXT,
    asked_at   BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    next_at    BIGINT,
    tries      BIGINT NOT NULL,
    done_at    BIGINT
);
CREATE INDEX elsewhere_task_next ON elsewhere_task (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX elsewhere_task_account ON elsewhere_task (tenant, account);
CREATE INDEX elsewhere_task_request ON elsewhere_task (tenant, request) WHERE request IS NOT NULL;
CREATE INDEX elsewhere_task_erasure ON elsewhere_task (tenant, erasure) WHERE erasure IS NOT NULL;
CREATE INDEX elsewhere_task_subject ON elsewhere_task (tenant, subject) WHERE subject IS NOT NULL;
