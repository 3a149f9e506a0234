-- Which letters were sent about a request: at most one of each kind.
CREATE TABLE letter (
    tenant  TEXT NOT NULL,
    request TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('acknowledged', 'scheduled', 'answered')),
    at      INTEGER NOT NULL,
    PRIMARY KEY (tenant, request, kind)
) STRICT;
CREATE INDEX letter_age ON letter (at);
