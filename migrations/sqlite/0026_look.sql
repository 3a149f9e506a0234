-- Why a member of staff looks at somebody's data: that there is a reason, for what, and until when it lets them look. The
-- words lie sealed in the vault, in the record of the same id.
CREATE TABLE look (
    id          TEXT PRIMARY KEY NOT NULL,
    tenant      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    staff       TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    at          INTEGER NOT NULL,
    until_at    INTEGER NOT NULL,
    approved_by TEXT,
    approved_at INTEGER
) STRICT;
CREATE INDEX look_subject ON look (tenant, subject, staff, purpose, until_at);
CREATE INDEX look_until ON look (until_at);
