-- One key a person and class, wrapped under the epoch key. Its row's deletion makes everything of theirs unreadable.
CREATE TABLE subject_key (
    tenant     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    class      TEXT NOT NULL,
    id         TEXT NOT NULL,
    epoch      INTEGER NOT NULL,
    wrapped    BLOB NOT NULL,
    kfp        BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, subject, class)
) STRICT;
CREATE INDEX subject_key_epoch ON subject_key (epoch);

-- One key an object or record, wrapped under its owner's key and the epoch key together.
CREATE TABLE item_key (
    item       TEXT PRIMARY KEY NOT NULL,
    tenant     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    id         TEXT NOT NULL,
    kind       TEXT NOT NULL,
    epoch      INTEGER NOT NULL,
    wrapped    BLOB NOT NULL,
    kfp        BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX item_key_owner ON item_key (tenant, subject);
CREATE INDEX item_key_epoch ON item_key (epoch);

-- Keys of the service itself: blind indexes, cursors, sealed answers.
CREATE TABLE system_key (
    name       TEXT PRIMARY KEY NOT NULL,
    epoch      INTEGER NOT NULL,
    wrapped    BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Keys that were destroyed. A fenced person never gets a key again.
CREATE TABLE fence (
    tenant       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    class        TEXT NOT NULL,
    kfp          BLOB NOT NULL,
    destroyed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, subject, class)
) STRICT;
CREATE INDEX fence_kfp ON fence (kfp);
