-- Authorised agents of the Data Rights Protocol, as staff entered them, and the hash of the token that each was last given.
CREATE TABLE drp_agent (
    tenant     TEXT NOT NULL,
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    verify_key BLOB NOT NULL,
    site       TEXT NOT NULL,
    added_at   INTEGER NOT NULL,
    token_hash BLOB UNIQUE,
    paired_at  INTEGER,
    PRIMARY KEY (tenant, id)
) STRICT;

-- What agents asked for. Whose it is, stands with the rights request alone; of an address that nobody here has, nothing
-- stands anywhere.
CREATE TABLE drp_request (
    id               TEXT PRIMARY KEY NOT NULL,
    tenant           TEXT NOT NULL,
    agent            TEXT NOT NULL,
    agent_request_id TEXT,
    exercise         TEXT NOT NULL,
    request          TEXT,
    verdict          TEXT,
    received_at      INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    callback         TEXT,
    told             TEXT NOT NULL,
    tries            INTEGER NOT NULL,
    next_at          INTEGER
) STRICT;
CREATE INDEX drp_request_received ON drp_request (tenant, received_at);
CREATE INDEX drp_request_next ON drp_request (next_at) WHERE next_at IS NOT NULL;

-- Messages that were taken, until they run out by themselves: the same one is taken once.
CREATE TABLE drp_seen (
    tenant TEXT NOT NULL,
    digest BLOB NOT NULL,
    until  INTEGER NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT;
CREATE INDEX drp_seen_until ON drp_seen (until);
