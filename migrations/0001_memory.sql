-- The bot's memory. The same text runs on SQLite and PostgreSQL: ids, flags and moments (milliseconds since 1970) are BIGINT,
-- everything else is TEXT. Discord's and DigitalOcean's ids are unsigned 64-bit numbers kept by their bits.

CREATE TABLE operations (
    id TEXT NOT NULL PRIMARY KEY,
    -- Grows with every commit: whoever commits on an older one has lost the operation to somebody else.
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    droplet_id BIGINT,
    droplet_name TEXT NOT NULL,
    asker_id BIGINT NOT NULL,
    guild_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    -- When the worker looks at it next; NULL when there is nothing left to do.
    due_at BIGINT,
    is_running BIGINT NOT NULL,
    -- Running, or ended and still owing power.
    is_open BIGINT NOT NULL,
    outcome TEXT,
    ended_at BIGINT,
    -- How many events it has had; numbers them.
    events BIGINT NOT NULL,
    -- The version that its progress message shows.
    shown_version BIGINT NOT NULL,
    -- The operation itself, as JSON. The columns above repeat what must be known even if this cannot be read.
    state TEXT NOT NULL,
    -- What stood in `state` when it could not be read.
    unreadable_state TEXT
);
CREATE UNIQUE INDEX one_running_operation_per_droplet ON operations (droplet_id) WHERE is_running = 1;
CREATE INDEX operations_open ON operations (droplet_id) WHERE is_open = 1;
CREATE INDEX operations_due ON operations (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX operations_unshown ON operations (id) WHERE version > shown_version;
CREATE INDEX operations_ended ON operations (ended_at, id) WHERE is_running = 0;

-- Every interaction that asked for or said something. Discord may deliver one twice; it does one thing.
CREATE TABLE interactions (
    id BIGINT NOT NULL PRIMARY KEY,
    operation TEXT NOT NULL
);

-- What happened to operations, append-only. Wishes of people wait here until the worker has heard them.
CREATE TABLE events (
    operation TEXT NOT NULL REFERENCES operations (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_user BIGINT,
    what TEXT NOT NULL,
    unheard BIGINT NOT NULL,
    PRIMARY KEY (operation, number)
);
CREATE INDEX events_unheard ON events (operation, at) WHERE unheard = 1;

-- Droplets that we may have turned off and must turn on again. Readable by a person at three in the morning.
CREATE TABLE power_owed (
    operation TEXT NOT NULL PRIMARY KEY REFERENCES operations (id),
    droplet_id BIGINT NOT NULL,
    since BIGINT NOT NULL
);

-- How long steps took, for estimates.
CREATE TABLE durations (
    operation TEXT NOT NULL REFERENCES operations (id),
    task TEXT NOT NULL,
    droplet_id BIGINT,
    millis BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    PRIMARY KEY (operation, task)
);
CREATE INDEX durations_of_droplet ON durations (droplet_id, ended_at);

-- Messages that people were told, or are to be told.
CREATE TABLE reports (
    operation TEXT NOT NULL REFERENCES operations (id),
    kind TEXT NOT NULL,
    channel_id BIGINT NOT NULL,
    -- Counts the messages posted anew after a deletion.
    generation BIGINT NOT NULL,
    message_id BIGINT,
    shown_version BIGINT,
    shown_digest TEXT,
    shown_at BIGINT,
    attempts BIGINT NOT NULL,
    -- When a post of this generation was first attempted; written before it leaves.
    posting_since BIGINT,
    due_at BIGINT NOT NULL,
    given_up TEXT,
    PRIMARY KEY (operation, kind)
);
CREATE INDEX reports_unsaid ON reports (due_at) WHERE message_id IS NULL AND given_up IS NULL;

-- Questions to one person before something destructive.
CREATE TABLE confirmations (
    id TEXT NOT NULL PRIMARY KEY,
    asker_id BIGINT NOT NULL,
    guild_id BIGINT NOT NULL,
    what TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_by BIGINT UNIQUE
);

-- What was last registered as commands in a guild.
CREATE TABLE registered_commands (
    guild_id BIGINT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL
);

-- Who looks after a DigitalOcean account, by the database's clock. Used on PostgreSQL; a lock on the file does it on SQLite.
CREATE TABLE leases (
    account TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
