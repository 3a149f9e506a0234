-- When it was shown who asks, after that had been asked for: clocks of an answer count from then.
ALTER TABLE request ADD COLUMN proved_at INTEGER;
-- A request that was taken up again has a second round with clocks of its own; how the worst round before it ended stays.
ALTER TABLE request ADD COLUMN reopened_at INTEGER;
ALTER TABLE request ADD COLUMN round INTEGER NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN first_answered_at INTEGER;
ALTER TABLE request ADD COLUMN first_promise_due INTEGER;
-- What nobody confirms ends after thirty days.
UPDATE request SET next_at = received_at + 2592000000000 WHERE state = 'identity-pending';

-- At most one letter of each kind in each round.
CREATE TABLE letter_of_round (
    tenant  TEXT NOT NULL,
    request TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('acknowledged', 'scheduled', 'extended', 'answered', 'lapsed')),
    at      INTEGER NOT NULL,
    sent_at INTEGER,
    round   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, request, kind, round)
) STRICT;
INSERT INTO letter_of_round (tenant, request, kind, at, sent_at, round)
    SELECT tenant, request, kind, at, sent_at, 0 FROM letter;
DROP TABLE letter;
ALTER TABLE letter_of_round RENAME TO letter;
CREATE INDEX letter_age ON letter (at);

-- When it was last tried to tell the person of a hold.
ALTER TABLE hold ADD COLUMN tried_at INTEGER;
