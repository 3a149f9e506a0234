-- Where a provider fetches pictures that are too large to be sent along: the hash of what the address ends in, and how
-- often it was used. The address lives as long as its errand is under way, and no longer than minutes.
ALTER TABLE errand ADD COLUMN link BLOB;
ALTER TABLE errand ADD COLUMN link_uses INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX errand_link ON errand (link) WHERE link IS NOT NULL;

-- The hash of the provider's own id of the job: whoever looks for one whose answer was lost passes over those known.
ALTER TABLE errand ADD COLUMN job BLOB;
CREATE INDEX errand_made ON errand (provider, made_at);
