-- The second factor of a member of staff: the secret of their authenticator app, sealed, and how often a code was wrong.
CREATE TABLE staff_factor (
    tenant       TEXT NOT NULL,
    staff        TEXT NOT NULL,
    sealed       BYTEA,
    made_at      BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step    BIGINT,
    failures     BIGINT NOT NULL,
    wait_until   BIGINT,
    reset_at     BIGINT,
    held_until   BIGINT,
    PRIMARY KEY (tenant, staff)
);

-- Codes for the day on which the telephone is lost. Each works once; only a keyed hash is kept.
CREATE TABLE staff_recovery (
    tenant    TEXT NOT NULL,
    staff     TEXT NOT NULL,
    code_hash BYTEA NOT NULL,
    used_at   BIGINT,
    PRIMARY KEY (tenant, staff, code_hash)
);

-- When a session's owner last proved themself by a second factor.
ALTER TABLE session ADD COLUMN factor_at BIGINT;
CREATE INDEX session_staff ON session (tenant, staff);

-- When the address by which a person signs in was last changed.
ALTER TABLE subject ADD COLUMN address_changed_at BIGINT;
