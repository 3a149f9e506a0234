-- The language in which somebody last read our pages, by its tag, so that letters are written in it. None: English.
ALTER TABLE subject ADD COLUMN locale TEXT;
