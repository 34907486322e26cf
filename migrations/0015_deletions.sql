-- The Snapshot that an operation deletes, by which people learn who had it deleted; NULL for what deletes none, and in rows of older versions.
ALTER TABLE operations ADD COLUMN deletes BIGINT;
CREATE INDEX operations_deletes ON operations (deletes) WHERE deletes IS NOT NULL;
