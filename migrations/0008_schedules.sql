-- Snapshots that happen by themselves.
CREATE TABLE schedules (
    id TEXT NOT NULL PRIMARY KEY,
    -- Grows with every change of the schedule or its slots; what its message shows is compared with it.
    version BIGINT NOT NULL,
    guild_id BIGINT NOT NULL,
    droplet_id BIGINT NOT NULL,
    is_removed BIGINT NOT NULL,
    -- When the scheduler looks at it next; NULL where nothing is to be done until a person says so.
    due_at BIGINT,
    -- The schedule itself, as JSON.
    state TEXT NOT NULL
);
CREATE INDEX schedules_due ON schedules (due_at) WHERE due_at IS NOT NULL AND is_removed = 0;

-- What became of each planned time. Those in a row that had one fate without an operation share a row.
CREATE TABLE slots (
    schedule TEXT NOT NULL REFERENCES schedules (id),
    -- The planned time; of several, the first.
    planned_at BIGINT NOT NULL,
    droplet_id BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    count BIGINT NOT NULL,
    fate TEXT NOT NULL,
    why TEXT NOT NULL,
    -- Written in the transaction that creates the operation: one operation for a slot.
    operation TEXT,
    PRIMARY KEY (schedule, planned_at, droplet_id)
);
CREATE UNIQUE INDEX one_open_slot_of_a_kind ON slots (schedule, droplet_id, fate) WHERE fate IN ('waiting', 'running');
CREATE INDEX slots_latest ON slots (schedule, last_at);
CREATE INDEX slots_running ON slots (operation) WHERE fate = 'running';

-- The Snapshots of each schedule. A row lives as long as its Snapshot is listed, however soon history is pruned.
CREATE TABLE schedule_snapshots (
    schedule TEXT NOT NULL REFERENCES schedules (id),
    -- The operation that took it.
    operation TEXT NOT NULL,
    droplet_id BIGINT NOT NULL,
    -- The planned time of its slot, or when it was begun where a person had it taken.
    planned_at BIGINT NOT NULL,
    -- taking, listed
    state TEXT NOT NULL,
    name TEXT NOT NULL,
    snapshot_id BIGINT,
    created_at BIGINT,
    -- Thousandths of a gigabyte; NULL until DigitalOcean says it.
    size_millis BIGINT,
    is_consistent BIGINT NOT NULL,
    -- Who wants it kept whatever the policy says.
    kept_by BIGINT,
    -- Since when people could read that it will be deleted.
    announced_at BIGINT,
    -- The operation that deletes it.
    deletion TEXT,
    PRIMARY KEY (schedule, operation)
);
CREATE INDEX schedule_snapshots_of_operation ON schedule_snapshots (operation);
CREATE INDEX schedule_snapshots_under_way ON schedule_snapshots (operation) WHERE state = 'taking' OR deletion IS NOT NULL;

-- The messages of schedules: one that is edited as it goes, and new ones where people must look.
CREATE TABLE schedule_messages (
    schedule TEXT NOT NULL REFERENCES schedules (id),
    -- 0 is the living status message; the others are said once.
    number BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    -- What is said once, as JSON; empty for the status message.
    what TEXT NOT NULL,
    -- Counts the messages posted after a deletion.
    generation BIGINT NOT NULL,
    message_id BIGINT,
    shown_version BIGINT NOT NULL,
    shown_digest TEXT,
    -- When a post of this generation was first attempted; written before it leaves.
    posting_since BIGINT,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    given_up TEXT,
    PRIMARY KEY (schedule, number)
);
CREATE INDEX schedule_messages_unsaid ON schedule_messages (due_at) WHERE message_id IS NULL AND given_up IS NULL;
