-- The Snapshot that was put back onto a Droplet last, once the history of that restore is pruned: no schedule deletes it before there is a
-- newer good one.
CREATE TABLE restore_sources (
    droplet_id BIGINT NOT NULL PRIMARY KEY,
    snapshot_id BIGINT NOT NULL,
    restored_at BIGINT NOT NULL
);
CREATE INDEX operations_restores ON operations (droplet_id) WHERE kind = 'restore';
