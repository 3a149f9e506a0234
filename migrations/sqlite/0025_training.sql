-- Collections made for training: what each was made under, and that it was. No picture and no word of anybody.
CREATE TABLE training_run (
    id             TEXT PRIMARY KEY NOT NULL,
    tenant         TEXT NOT NULL,
    purpose        TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    made_at        INTEGER NOT NULL,
    people         INTEGER NOT NULL,
    manifest       BLOB NOT NULL,
    entry          TEXT NOT NULL
) STRICT;
CREATE INDEX training_run_made ON training_run (tenant, purpose, made_at);

-- Whose things were ever handed out for training, by the ledger's pseudonym alone: so that the next collection can name
-- those who are in it no more.
CREATE TABLE training_member (
    tenant    TEXT NOT NULL,
    purpose   TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    run       TEXT NOT NULL,
    left_at   INTEGER,
    PRIMARY KEY (tenant, purpose, pseudonym)
) STRICT;
CREATE INDEX training_member_left ON training_member (tenant, purpose, left_at) WHERE left_at IS NOT NULL;
