-- When it was shown who asks, after that had been asked for: clocks of an answer count from then.
ALTER TABLE request ADD COLUMN proved_at BIGINT;
-- A request that was taken up again has a second round with clocks of its own; how the worst round before it ended stays.
ALTER TABLE request ADD COLUMN reopened_at BIGINT;
ALTER TABLE request ADD COLUMN round BIGINT NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN first_answered_at BIGINT;
ALTER TABLE request ADD COLUMN first_promise_due BIGINT;
-- What nobody confirms ends after thirty days.
UPDATE request SET next_at = received_at + 2592000000000 WHERE state = 'identity-pending';

-- At most one letter of each kind in each round.
ALTER TABLE letter ADD COLUMN round BIGINT NOT NULL DEFAULT 0;
ALTER TABLE letter DROP CONSTRAINT letter_kind_check;
ALTER TABLE letter ADD CONSTRAINT letter_kind_check
    CHECK (kind IN ('acknowledged', 'scheduled', 'extended', 'answered', 'lapsed'));
ALTER TABLE letter DROP CONSTRAINT letter_pkey;
ALTER TABLE letter ADD PRIMARY KEY (tenant, request, kind, round);

-- When it was last tried to tell the person of a hold.
ALTER TABLE hold ADD COLUMN tried_at BIGINT;
