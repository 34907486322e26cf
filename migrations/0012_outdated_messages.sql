-- Warnings and announcements are edited, too, when they show something else than what is true. What was announced before stays as it is.
UPDATE reports SET shown_version = 1 WHERE kind = 'answer' AND shown_version = 0;
DROP INDEX reports_outdated;
CREATE INDEX reports_outdated ON reports (due_at)
    WHERE kind IN ('question', 'warning', 'answer') AND shown_version = 0 AND message_id IS NOT NULL AND given_up IS NULL;
