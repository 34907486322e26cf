-- The channel in which a message is posted where the one that it belongs to cannot hear us. A call still grows by the latter.
ALTER TABLE reports ADD COLUMN moved_to BIGINT;
