-- The question about a hung shutdown is a message of its own, edited when it is over. Version 0 says that it shows something else.
CREATE INDEX reports_outdated ON reports (due_at)
    WHERE kind = 'question' AND shown_version = 0 AND message_id IS NOT NULL AND given_up IS NULL;
