-- The Snapshots that were Backups of DigitalOcean until somebody had us keep them, once the history of that is pruned.
CREATE TABLE kept_backups (
    snapshot_id BIGINT NOT NULL PRIMARY KEY,
    by_user BIGINT NOT NULL
);
