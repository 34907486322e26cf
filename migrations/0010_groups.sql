-- Runs of groups: the Droplets with a tag, one after another.
CREATE TABLE group_runs (
    id TEXT NOT NULL PRIMARY KEY,
    -- The schedule whose Snapshots it takes; NULL where a person wants them once.
    schedule TEXT REFERENCES schedules (id),
    -- When its Snapshots count as taken.
    planned_at BIGINT NOT NULL,
    -- Grows with every change of the run or its members; what its message shows is compared with it.
    version BIGINT NOT NULL,
    stopped_by BIGINT,
    ended_at BIGINT,
    -- What was settled when it began, as JSON.
    plan TEXT NOT NULL
);
CREATE INDEX group_runs_open ON group_runs (planned_at) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX one_run_of_a_schedule ON group_runs (schedule) WHERE ended_at IS NULL AND schedule IS NOT NULL;
CREATE INDEX group_runs_of_schedule ON group_runs (schedule, planned_at);

-- Its members, settled when it began. Each has at most one operation.
CREATE TABLE group_members (
    run TEXT NOT NULL REFERENCES group_runs (id),
    droplet_id BIGINT NOT NULL,
    -- Its place in the order.
    position BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- waiting, taking, returning, done, lost, left, excluded
    phase TEXT NOT NULL,
    -- Why it is lost, or no member.
    why TEXT NOT NULL,
    is_good BIGINT NOT NULL,
    -- Since when it is in this phase.
    since BIGINT,
    -- Written in the transaction that creates the operation.
    operation TEXT,
    PRIMARY KEY (run, droplet_id)
);

-- The messages of runs that people began: 0 is edited as the run gets on, 1 says how it ended.
CREATE TABLE group_messages (
    run TEXT NOT NULL REFERENCES group_runs (id),
    number BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    message_id BIGINT,
    shown_version BIGINT NOT NULL,
    -- When a post of this generation was first attempted; written before it leaves.
    posting_since BIGINT,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    given_up TEXT,
    PRIMARY KEY (run, number)
);
