-- What a person of staff handed to somebody whom the document does not name: an authority that asked lawfully, or whom it
-- took to protect somebody's rights. To whom, under which law and what lie sealed in the vault, in the record `words`.
CREATE TABLE handover (
    id           TEXT PRIMARY KEY NOT NULL,
    tenant       TEXT NOT NULL,
    subject      TEXT,
    ground       TEXT NOT NULL,
    categories   TEXT NOT NULL,
    staff        TEXT NOT NULL,
    handed_at    BIGINT NOT NULL,
    entered_at   BIGINT NOT NULL,
    silent_until BIGINT,
    words        TEXT NOT NULL,
    entry        TEXT NOT NULL
);
CREATE INDEX handover_subject ON handover (tenant, subject, id);
CREATE INDEX handover_entry ON handover (entry);
