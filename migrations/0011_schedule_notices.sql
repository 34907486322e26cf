-- What one message says of several schedules: the message that says it for this one, when it was to be said, and how often what it says changed.
ALTER TABLE schedule_messages ADD COLUMN leader_schedule TEXT;
ALTER TABLE schedule_messages ADD COLUMN leader_number BIGINT;
ALTER TABLE schedule_messages ADD COLUMN said_at BIGINT;
ALTER TABLE schedule_messages ADD COLUMN changes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX schedule_messages_led ON schedule_messages (leader_schedule, leader_number) WHERE leader_schedule IS NOT NULL;
-- What the addresses of schedules are still to be told.
CREATE TABLE schedule_pings (
    schedule TEXT NOT NULL REFERENCES schedules (id),
    -- The run that it is about.
    operation TEXT NOT NULL,
    -- start, success, fail
    signal TEXT NOT NULL,
    -- When it happened.
    since BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (schedule, operation, signal)
);
CREATE INDEX schedule_pings_due ON schedule_pings (due_at);
