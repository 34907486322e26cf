-- What people did that belongs to no operation: to schedules, pins and the runs of groups. Append-only, for `snapshot-bot audit`.
CREATE TABLE acts (
    at BIGINT NOT NULL,
    by_user BIGINT NOT NULL,
    guild_id BIGINT NOT NULL,
    -- In words: they are read by people, and no program decides by them.
    what TEXT NOT NULL,
    -- 'schedule', 'Snapshot' or 'run', with our id of it, or DigitalOcean's, and its name then.
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    name TEXT NOT NULL
);
CREATE INDEX acts_by_time ON acts (at);
