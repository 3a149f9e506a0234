-- Documents that wait for a second person: what they would destroy is more than one member of staff may decide.
CREATE TABLE policy_proposal (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    version     TEXT NOT NULL,
    hash        BYTEA NOT NULL,
    source      TEXT NOT NULL,
    report      TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at BIGINT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'refused')),
    decided_by  TEXT,
    decided_at  BIGINT,
    reason      TEXT
);
CREATE UNIQUE INDEX policy_proposal_open ON policy_proposal (tenant, version) WHERE state = 'open';
CREATE INDEX policy_proposal_tenant ON policy_proposal (tenant, id);

-- How far the telling of a version has come. `reached` is the moment of the last person entered, as ids
-- begin with it, and no id; people who came since follow.
CREATE TABLE policy_telling (
    tenant       TEXT NOT NULL,
    version      TEXT NOT NULL,
    effective_at BIGINT NOT NULL,
    reached      TEXT NOT NULL,
    announced_at BIGINT,
    entry        TEXT,
    closed_at    BIGINT,
    PRIMARY KEY (tenant, version)
);

-- Who was told of which version, by what and when. No address: that is in the vault.
CREATE TABLE policy_notice (
    tenant          TEXT NOT NULL,
    version         TEXT NOT NULL,
    subject         TEXT NOT NULL,
    posted_at       BIGINT,
    letter          TEXT NOT NULL CHECK (letter IN ('none', 'owed', 'sending', 'sent', 'unsure', 'failed', 'spared')),
    letter_at       BIGINT,
    tries           BIGINT NOT NULL,
    next_at         BIGINT NOT NULL,
    acknowledged_at BIGINT,
    PRIMARY KEY (tenant, version, subject)
);
CREATE INDEX policy_notice_owed ON policy_notice (tenant, version, next_at) WHERE letter IN ('owed', 'sending');
CREATE INDEX policy_notice_subject ON policy_notice (tenant, subject);

-- How far the due times of what was held when a version came into force have been computed anew.
CREATE TABLE policy_reckoning (
    tenant      TEXT NOT NULL,
    version     TEXT NOT NULL,
    pass        BIGINT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('object', 'record')),
    reached     TEXT NOT NULL,
    looked      BIGINT NOT NULL,
    moved       BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (tenant, version, pass)
);
