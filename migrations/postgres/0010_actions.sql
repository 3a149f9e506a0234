-- Rules that were carried out on a record that lives on, with spaces between: it was reduced, and waits for its next.
ALTER TABLE record ADD COLUMN done TEXT NOT NULL DEFAULT '';

-- When an account was closed: its clocks run from then.
ALTER TABLE subject ADD COLUMN closed_at BIGINT;
CREATE INDEX subject_closed ON subject (tenant, closed_at) WHERE closed_at IS NOT NULL;

-- In whose name a law keeps records that outlive their person. Keys of its own, and nothing that leads to anybody.
CREATE TABLE holder (
    id       TEXT PRIMARY KEY NOT NULL,
    tenant   TEXT NOT NULL,
    since    BIGINT NOT NULL,
    until_at BIGINT
);
CREATE INDEX holder_until ON holder (tenant, until_at);
ALTER TABLE erasure ADD COLUMN holder TEXT;
ALTER TABLE erasure ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
ALTER TABLE erasure ADD COLUMN kept_until BIGINT;
ALTER TABLE erasure ADD COLUMN kept_what TEXT;
ALTER TABLE erasure ADD COLUMN kept_law TEXT;

-- What a person was told before a rule fires: of everything that is due under it after `after_at` and up to `until_at`.
CREATE TABLE notice (
    tenant   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    rule     TEXT NOT NULL,
    after_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    goes_at  BIGINT NOT NULL,
    number   BIGINT NOT NULL,
    told_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, subject, rule, after_at)
);
CREATE INDEX notice_until ON notice (until_at);

-- What is left of records that were made anonymous: how many there were in a month, of how many people. Never of fewer
-- than twenty.
CREATE TABLE anonymous_count (
    tenant   TEXT NOT NULL,
    category TEXT NOT NULL,
    month    TEXT NOT NULL,
    things   BIGINT NOT NULL,
    people   BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (tenant, category, month)
);

-- A second person answers for a hold. The person it concerns is told, unless a law forbids that: then the reason.
ALTER TABLE hold ADD COLUMN approved_by TEXT;
ALTER TABLE hold ADD COLUMN approved_at BIGINT;
ALTER TABLE hold ADD COLUMN untold TEXT;
ALTER TABLE hold ADD COLUMN told_at BIGINT;
