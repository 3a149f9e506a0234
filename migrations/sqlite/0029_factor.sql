-- The second factor of a member of staff: the secret of their authenticator app, sealed, and how often a code was wrong.
CREATE TABLE staff_factor (
    tenant       TEXT NOT NULL,
    staff        TEXT NOT NULL,
    sealed       BLOB,
    made_at      INTEGER NOT NULL,
    confirmed_at INTEGER,
    last_step    INTEGER,
    failures     INTEGER NOT NULL,
    wait_until   INTEGER,
    reset_at     INTEGER,
    held_until   INTEGER,
    PRIMARY KEY (tenant, staff)
) STRICT;

-- Codes for the day on which the telephone is lost. Each works once; only a keyed hash is kept.
CREATE TABLE staff_recovery (
    tenant    TEXT NOT NULL,
    staff     TEXT NOT NULL,
    code_hash BLOB NOT NULL,
    used_at   INTEGER,
    PRIMARY KEY (tenant, staff, code_hash)
) STRICT;

-- When a session's owner last proved themself by a second factor.
ALTER TABLE session ADD COLUMN factor_at INTEGER;
CREATE INDEX session_staff ON session (tenant, staff);

-- When the address by which a person signs in was last changed.
ALTER TABLE subject ADD COLUMN address_changed_at INTEGER;
