-- Snapshots that somebody wants kept, with who and why. The name is the one that they saw; ids are never given out twice.
CREATE TABLE snapshot_pins (
    snapshot_id BIGINT NOT NULL PRIMARY KEY,
    snapshot_name TEXT NOT NULL,
    by_user BIGINT NOT NULL,
    guild_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    reason TEXT
);
-- What each Snapshot weighed on a day, for the trend of what they cost. Written when the list was read anyway, so days may be missing.
CREATE TABLE snapshot_days (
    -- Days since 1970, in UTC.
    day BIGINT NOT NULL,
    snapshot_id BIGINT NOT NULL,
    -- The Droplet that it was taken of, which may be gone.
    droplet_id BIGINT,
    -- Thousandths of a gigabyte.
    size_mb BIGINT NOT NULL,
    PRIMARY KEY (day, snapshot_id)
);
-- The months for which the message about costs was posted, or is not to be: a database that is new waits for the next one.
CREATE TABLE monthly_reports (
    -- Months since January 1970, in UTC.
    month BIGINT NOT NULL PRIMARY KEY,
    message_id BIGINT
);
