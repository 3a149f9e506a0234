-- When an answer began to be carried out, and under which id it is filed: a process that dies meanwhile loses nothing.
ALTER TABLE mail ADD COLUMN stepped_at INTEGER;
ALTER TABLE mandate ADD COLUMN stepped_at INTEGER;
ALTER TABLE mandate ADD COLUMN filing TEXT;

-- Letters that nobody confirmed: that one came and when, and not a word of it or of whose it was.
CREATE TABLE lapsed_letter (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    asked       TEXT,
    received_at INTEGER NOT NULL,
    lapsed_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX lapsed_letter_lapsed ON lapsed_letter (lapsed_at);

-- In whose name an agent asks, as long as they are here; whether the rights request is of the agent's making; and what the
-- person said to it.
ALTER TABLE drp_request ADD COLUMN subject TEXT;
ALTER TABLE drp_request ADD COLUMN own INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drp_request ADD COLUMN answer TEXT CHECK (answer IN ('yes', 'no'));
UPDATE drp_request SET subject = (SELECT r.subject FROM request r WHERE r.tenant = drp_request.tenant
    AND r.id = drp_request.request) WHERE request IS NOT NULL;
UPDATE drp_request SET own = 1 WHERE EXISTS (SELECT 1 FROM request r WHERE r.tenant = drp_request.tenant
    AND r.id = drp_request.request AND r.channel = 'api' AND r.received_at >= drp_request.received_at);
UPDATE drp_request SET answer = 'yes' WHERE EXISTS (SELECT 1 FROM request_event e WHERE e.tenant = drp_request.tenant
    AND e.request = drp_request.request AND e.kind = 'identity-shown');
CREATE INDEX drp_request_subject ON drp_request (tenant, subject) WHERE subject IS NOT NULL;
CREATE INDEX drp_request_agent ON drp_request (tenant, agent);

-- The last letter to somebody who asked to be erased, sealed until it is sent: it leads to nobody from any other row.
CREATE TABLE last_letter (
    erasure  TEXT PRIMARY KEY NOT NULL,
    tenant   TEXT NOT NULL,
    sealed   BLOB NOT NULL,
    tried_at INTEGER,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX last_letter_at ON last_letter (at);
