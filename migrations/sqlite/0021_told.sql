-- Messages that recipients sent us and that were taken: the same one is taken once.
CREATE TABLE told (
    tenant    TEXT NOT NULL,
    processor TEXT NOT NULL,
    message   TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (tenant, processor, message)
) STRICT;
CREATE INDEX told_at ON told (at);
