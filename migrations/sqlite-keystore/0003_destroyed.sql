-- How many keys were ever destroyed here: it only grows, so a copy from before shows by a smaller number.
CREATE TABLE destruction (
    name  TEXT PRIMARY KEY NOT NULL,
    keys  INTEGER NOT NULL
) STRICT;
INSERT INTO destruction (name, keys) VALUES ('keys', 0);

-- A restore looks for keys by their fingerprints.
CREATE INDEX subject_key_kfp ON subject_key (kfp);
CREATE INDEX item_key_kfp ON item_key (kfp);
