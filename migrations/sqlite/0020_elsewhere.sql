-- A person's account at somebody else's. What it is called there is sealed, and found by a keyed index; both are blanked
-- when it is gone.
CREATE TABLE elsewhere (
    id         TEXT PRIMARY KEY NOT NULL,
    tenant     TEXT NOT NULL,
    subject    TEXT,
    processor  TEXT NOT NULL,
    name_index BLOB,
    sealed     BLOB,
    linked_at  INTEGER NOT NULL,
    gone_at    INTEGER,
    UNIQUE (tenant, processor, name_index)
) STRICT;
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
    sealed     BLOB,
    proof      TEXT,
    problem    TEXT,
    stay_count INTEGER NOT NULL,
    stay_until INTEGER,
    stay_why   TEXT,
    asked_at   INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    next_at    INTEGER,
    tries      INTEGER NOT NULL,
    done_at    INTEGER
) STRICT;
CREATE INDEX elsewhere_task_next ON elsewhere_task (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX elsewhere_task_account ON elsewhere_task (tenant, account);
CREATE INDEX elsewhere_task_request ON elsewhere_task (tenant, request) WHERE request IS NOT NULL;
CREATE INDEX elsewhere_task_erasure ON elsewhere_task (tenant, erasure) WHERE erasure IS NOT NULL;
CREATE INDEX elsewhere_task_subject ON elsewhere_task (tenant, subject) WHERE subject IS NOT NULL;
