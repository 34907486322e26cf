-- What is kept of an operation whose history was pruned: which Snapshot it took, of which Droplet, and who asked for it.
CREATE TABLE snapshot_origins (
    id TEXT NOT NULL PRIMARY KEY,
    snapshot_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    droplet_id BIGINT,
    droplet_name TEXT NOT NULL,
    asker_id BIGINT NOT NULL,
    guild_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    ended_at BIGINT,
    outcome TEXT
);
CREATE INDEX interactions_of_operation ON interactions (operation);
