-- A restore and an erasure look for what is known by a fingerprint; neither may walk everything there is for it.
CREATE INDEX object_kfp ON object (kfp);
CREATE INDEX record_kfp ON record (kfp);
