-- Addresses that people want to move to, until the link in the letter to the new one is opened; and the one they moved from,
-- until the time is over in which its mailbox can undo it. Both lie sealed, and are blanked with the last of these times; the
-- row goes two days later.
CREATE TABLE address_move (
    id           TEXT PRIMARY KEY NOT NULL,
    tenant       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    request      TEXT,
    state        TEXT NOT NULL CHECK (state IN ('asked', 'moved', 'over')),
    from_index   BLOB,
    to_index     BLOB,
    sealed       BLOB,
    confirm_hash BLOB,
    undo_hash    BLOB,
    asked_at     INTEGER NOT NULL,
    told_at      INTEGER,
    posted_at    INTEGER,
    ends_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX address_move_subject ON address_move (tenant, subject, asked_at);
CREATE INDEX address_move_to ON address_move (tenant, to_index, asked_at) WHERE to_index IS NOT NULL;
CREATE INDEX address_move_from ON address_move (tenant, from_index) WHERE from_index IS NOT NULL;
CREATE INDEX address_move_confirm ON address_move (tenant, confirm_hash) WHERE confirm_hash IS NOT NULL;
CREATE INDEX address_move_undo ON address_move (tenant, undo_hash) WHERE undo_hash IS NOT NULL;
CREATE INDEX address_move_ends ON address_move (ends_at);

-- Whether the owner of an account has opened a link that was sent to its present address after it was changed; an app's
-- word for another address takes it back.
ALTER TABLE subject ADD COLUMN address_confirmed INTEGER NOT NULL DEFAULT 0;
