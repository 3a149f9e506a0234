-- Documents that wait for a second person: what they would destroy is more than one member of staff may decide.
CREATE TABLE policy_proposal (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    version     TEXT NOT NULL,
    hash        BLOB NOT NULL,
    source      TEXT NOT NULL,
    report      TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'refused')),
    decided_by  TEXT,
    decided_at  INTEGER,
    reason      TEXT
) STRICT;
CREATE UNIQUE INDEX policy_proposal_open ON policy_proposal (tenant, version) WHERE state = 'open';
CREATE INDEX policy_proposal_tenant ON policy_proposal (tenant, id);

-- How far the telling of a version has come. `reached` is the moment of the last person entered, as ids
-- begin with it, and no id; people who came since follow.
CREATE TABLE policy_telling (
    tenant       TEXT NOT NULL,
    version      TEXT NOT NULL,
    effective_at INTEGER NOT NULL,
    reached      TEXT NOT NULL,
    announced_at INTEGER,
    entry        TEXT,
    closed_at    INTEGER,
    PRIMARY KEY (tenant, version)
) STRICT;

-- Who was told of which version, by what and when. No address: that is in the vault.
CREATE TABLE policy_notice (
    tenant          TEXT NOT NULL,
    version         TEXT NOT NULL,
    subject         TEXT NOT NULL,
    posted_at       INTEGER,
    letter          TEXT NOT NULL CHECK (letter IN ('none', 'owed', 'sending', 'sent', 'unsure', 'failed', 'spared')),
    letter_at       INTEGER,
    tries           INTEGER NOT NULL,
    next_at         INTEGER NOT NULL,
    acknowledged_at INTEGER,
    PRIMARY KEY (tenant, version, subject)
) STRICT;
CREATE INDEX policy_notice_owed ON policy_notice (tenant, version, next_at) WHERE letter IN ('owed', 'sending');
CREATE INDEX policy_notice_subject ON policy_notice (tenant, subject);

-- How far the due times of what was held when a version came into force have been computed anew.
CREATE TABLE policy_reckoning (
    tenant      TEXT NOT NULL,
    version     TEXT NOT NULL,
    pass        INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('object', 'record')),
    reached     TEXT NOT NULL,
    looked      INTEGER NOT NULL,
    moved       INTEGER NOT NULL,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (tenant, version, pass)
) STRICT;
