-- Letters about an erasure to the addresses that the account was moved away from not long ago: each is tried until it is taken.
CREATE TABLE letter_before (
    tenant  TEXT NOT NULL,
    request TEXT NOT NULL,
    moved   TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('acknowledged', 'scheduled', 'extended', 'answered', 'lapsed')),
    round   INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    sent_at INTEGER,
    PRIMARY KEY (tenant, request, moved, kind, round)
) STRICT;
CREATE INDEX letter_before_age ON letter_before (at);

-- When it was last tried to write to the old mailbox and to the new one; that a letter was taken is noted apart, once it was.
ALTER TABLE address_move ADD COLUMN tell_tried_at INTEGER;
ALTER TABLE address_move ADD COLUMN post_tried_at INTEGER;

-- Copies at providers that had not been seen to be gone when an erasure was called done.
ALTER TABLE erasure ADD COLUMN open_copies INTEGER NOT NULL DEFAULT 0;

-- Whether the account was opened for this link: a letter that is written again says so as well.
ALTER TABLE sign_in ADD COLUMN opened INTEGER NOT NULL DEFAULT 0;
