-- One message calls people about all Droplets of a channel that stay off for one reason. It grows while it is young.
CREATE TABLE calls (
    channel_id BIGINT NOT NULL,
    -- What people are called for. Two operations with the same cause share a message.
    cause TEXT NOT NULL,
    -- The operation whose report carries the message that may still grow.
    leader TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, cause)
);
-- The operation whose call lists this one too; NULL where this one's own report carries the list.
ALTER TABLE reports ADD COLUMN leader TEXT;
-- What a call is for.
ALTER TABLE reports ADD COLUMN cause TEXT;
-- Counts what changed in what a call lists. Its message is edited while `shown_version` is lower.
ALTER TABLE reports ADD COLUMN changes BIGINT NOT NULL DEFAULT 1;
UPDATE reports SET shown_version = 1 WHERE kind = 'stuck' AND message_id IS NOT NULL;
CREATE INDEX reports_listed ON reports (leader) WHERE leader IS NOT NULL;
CREATE INDEX reports_outgrown ON reports (due_at)
    WHERE kind = 'stuck' AND changes > shown_version AND message_id IS NOT NULL AND given_up IS NULL;
