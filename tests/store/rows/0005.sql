-- A question that was asked, and shows what is true.
INSERT INTO reports (operation, kind, channel_id, generation, message_id, shown_version, shown_digest, shown_at, attempts,
    posting_since, due_at)
VALUES ('00000001', 'question', 3, 1, 78, 5, 'digest', 1700000010000, 0, 1700000001000, 1700000012000);
-- A call that was made.
INSERT INTO reports (operation, kind, channel_id, generation, message_id, shown_version, shown_digest, shown_at, attempts,
    posting_since, due_at)
VALUES ('00000006', 'stuck', 3, 1, 79, 5, 'digest', 1700000010000, 0, 1700000001000, 1700000012000);
