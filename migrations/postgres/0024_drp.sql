-- Authorised agents of the Data Rights Protocol, as staff entered them, and the hash of the token that each was last given.
CREATE TABLE drp_agent (
    tenant     TEXT NOT NULL,
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    verify_key BYTEA NOT NULL,
    site       TEXT NOT NULL,
    added_at   BIGINT NOT NULL,
    token_hash BYTEA UNIQUE,
    paired_at  BIGINT,
    PRIMARY KEY (tenant, id)
);

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
    received_at      BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    callback         TEXT,
    told             TEXT NOT NULL,
    tries            BIGINT NOT NULL,
    next_at          BIGINT
);
CREATE INDEX drp_request_received ON drp_request (tenant, received_at);
CREATE INDEX drp_request_next ON drp_request (next_at) WHERE next_at IS NOT NULL;

-- Messages that were taken, until they run out by themselves: the same one is taken once.
CREATE TABLE drp_seen (
    tenant TEXT NOT NULL,
    digest BYTEA NOT NULL,
    until  BIGINT NOT NULL,
    PRIMARY KEY (tenant, digest)
);
CREATE INDEX drp_seen_until ON drp_seen (until);
