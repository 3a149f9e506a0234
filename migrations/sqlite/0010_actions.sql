-- Rules that were carried out on a record that lives on, with spaces between: it was reduced, and waits for its next.
ALTER TABLE record ADD COLUMN done TEXT NOT NULL DEFAULT '';

-- When an account was closed: its clocks run from then.
ALTER TABLE subject ADD COLUMN closed_at INTEGER;
CREATE INDEX subject_closed ON subject (tenant, closed_at) WHERE closed_at IS NOT NULL;

-- In whose name a law keeps records that outlive their person. Keys of its own, and nothing that leads to anybody.
CREATE TABLE holder (
    id       TEXT PRIMARY KEY NOT NULL,
    tenant   TEXT NOT NULL,
    since    INTEGER NOT NULL,
    until_at INTEGER
) STRICT;
CREATE INDEX holder_until ON holder (tenant, until_at);
ALTER TABLE erasure ADD COLUMN holder TEXT;
ALTER TABLE erasure ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE erasure ADD COLUMN kept_until INTEGER;
ALTER TABLE erasure ADD COLUMN kept_what TEXT;
ALTER TABLE erasure ADD COLUMN kept_law TEXT;

-- What a person was told before a rule fires: of everything that is due under it after `after_at` and up to `until_at`.
CREATE TABLE notice (
    tenant   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    rule     TEXT NOT NULL,
    after_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    goes_at  INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    told_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, subject, rule, after_at)
) STRICT;
CREATE INDEX notice_until ON notice (until_at);

-- What is left of records that were made anonymous: how many there were in a month, of how many people. Never of fewer
-- than twenty.
CREATE TABLE anonymous_count (
    tenant   TEXT NOT NULL,
    category TEXT NOT NULL,
    month    TEXT NOT NULL,
    things   INTEGER NOT NULL,
    people   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (tenant, category, month)
) STRICT;

-- A second person answers for a hold. The person it concerns is told, unless a law forbids that: then the reason.
ALTER TABLE hold ADD COLUMN approved_by TEXT;
ALTER TABLE hold ADD COLUMN approved_at INTEGER;
ALTER TABLE hold ADD COLUMN untold TEXT;
ALTER TABLE hold ADD COLUMN told_at INTEGER;
