-- Several results of one edit, the first of which stays in `output`; and several edits that were asked for in one go.
ALTER TABLE edit ADD COLUMN images INTEGER NOT NULL DEFAULT 1;
ALTER TABLE edit ADD COLUMN more_outputs TEXT NOT NULL DEFAULT '';
ALTER TABLE edit ADD COLUMN batch TEXT;
