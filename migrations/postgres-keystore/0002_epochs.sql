-- The epochs there have been: what each key is known by, and when it was destroyed. `noted_at` is when the ledger was told.
CREATE TABLE epoch (
    number       BIGINT PRIMARY KEY NOT NULL,
    kfp          BYTEA NOT NULL,
    begun_at     BIGINT NOT NULL,
    destroyed_at BIGINT,
    noted_at     BIGINT
);

-- One row. Nobody writes a key under an epoch below the floor, so that one may be destroyed once nothing lies under it.
CREATE TABLE epoch_floor (
    name  TEXT PRIMARY KEY NOT NULL,
    floor BIGINT NOT NULL
);
INSERT INTO epoch_floor (name, floor) VALUES ('epochs', 0);

-- Who changes the epochs now: one process at a time, for as long as it keeps saying so.
CREATE TABLE lease (
    name   TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    until  BIGINT NOT NULL
);

-- Wrapping everything anew walks people one after the other, and within a person one item after the other.
DROP INDEX item_key_owner;
CREATE INDEX item_key_owner ON item_key (tenant, subject, item);
